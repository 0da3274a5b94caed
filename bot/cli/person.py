from enum import StrEnum
from typing import Annotated, Any

import typer

from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, out, plain, table, to_copy
from bot.cli.person_accounts import Email, identities, link_code, set_email, unlink
from bot.cli.run import ask

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Register people, give them roles, end their access.",
)


class RoleName(StrEnum):
    """What a person may do besides deciding what concerns them."""

    admin = "admin"
    auditor = "auditor"


_Person = Annotated[str, typer.Argument(help="The person's handle or id.", metavar="PERSON")]
_Roles = Annotated[
    list[RoleName] | None, typer.Option("--role", help="May be repeated; none without it.")
]


@app.command()
def create(
    handle: Annotated[str, typer.Argument(help="A short name of small letters and digits.")],
    *,
    name: Annotated[str | None, typer.Option(help="How cards call them; else the handle.")] = None,
    roles: _Roles = None,
    email: Email = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Register a person."""
    body = {
        "handle": handle,
        "display_name": name or handle,
        "roles": _names(roles),
        "email": email,
    }
    found = ask(config, lambda api: api.post("people", body=body), json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    out.print(f"{plain(found['handle'])} ({plain(found['id'])}) is registered.")
    out.print(f"They sign in with a link: keyturn signin {plain(found['handle'])}")


@app.command("list")
def list_(*, config: Config, json: Json = False, debug: Debug = False) -> None:
    """List every person."""
    found = ask(config, lambda api: api.get("people"), json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    table(
        ("handle", "name", "roles", "active", "id"),
        [
            (
                person["handle"],
                person["display_name"],
                " ".join(person["roles"]) or "–",
                "yes" if person["active"] else "no",
                person["id"],
            )
            for person in found["people"]
        ],
        empty="There is nobody. `keyturn person create HANDLE` registers a person.",
    )


@app.command("roles")
def roles_(
    person: _Person,
    *,
    roles: _Roles = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Replace a person's roles."""
    body = {"roles": _names(roles)}
    found = ask(
        config,
        lambda api: api.put("people", person, "roles", body=body),
        json_wanted=json,
        debug=debug,
    )
    _told(found, f"Roles of {found['handle']}: {' '.join(found['roles']) or 'none'}.", json)


@app.command()
def deactivate(
    person: _Person, *, config: Config, json: Json = False, debug: Debug = False
) -> None:
    """End all access of a person; what they decided stays recorded."""
    found = ask(
        config,
        lambda api: api.post("people", person, "deactivate"),
        json_wanted=json,
        debug=debug,
    )
    _told(found, f"{found['handle']} can no longer sign in, decide or administer.", json)


@app.command("admin-token")
def admin_token(
    person: _Person, *, config: Config, json: Json = False, debug: Debug = False
) -> None:
    """Show a new token for the admin API, this once; earlier ones end at once."""
    found = ask(
        config,
        lambda api: api.post("people", person, "admin-token"),
        json_wanted=json,
        debug=debug,
    )
    if json:
        as_json(found)
        return
    out.print(f"The admin token of {plain(found['handle'])}, shown this once:\n")
    to_copy(found["token"])


app.command("set-email")(set_email)
app.command("link-code")(link_code)
app.command()(identities)
app.command()(unlink)


def _names(roles: list[RoleName] | None) -> list[str]:
    return [role.value for role in roles or []]


def _told(found: dict[str, Any], sentence: str, json_wanted: bool) -> None:
    if json_wanted:
        as_json(found)
    else:
        out.print(plain(sentence))

"""Commands about a person's accounts in chats, and the address by which chats find one."""

from typing import Annotated, Any

import typer

from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, local, out, plain, table, to_copy
from bot.cli.run import ask

Person = Annotated[str, typer.Argument(help="The person's handle or id.", metavar="PERSON")]
Email = Annotated[
    str | None, typer.Option(help="Their address in chats; used for nothing but to find them.")
]
_Chat = Annotated[str, typer.Option(help="The chat, by its name in the settings.")]


def set_email(
    person: Person,
    email: Annotated[
        str | None, typer.Argument(help="The address; left out, it is removed.")
    ] = None,
    *,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Set the address by which chats find a person, or remove it."""
    found = ask(
        config,
        lambda api: api.put("people", person, "email", body={"email": email}),
        json_wanted=json,
        debug=debug,
    )
    if json:
        as_json(found)
    elif found["email"] is None:
        out.print(f"{plain(found['handle'])} is found by no address any more.")
    else:
        out.print(f"Chats may find {plain(found['handle'])} by {plain(found['email'])}.")


def link_code(
    person: Person, *, chat: _Chat, config: Config, json: Json = False, debug: Debug = False
) -> None:
    """Print a code that links an account in a chat to a person, once and not for long."""
    found = ask(
        config,
        lambda api: api.post("people", person, "link-code", body={"chat": chat}),
        json_wanted=json,
        debug=debug,
    )
    if json:
        as_json(found)
        return
    out.print(
        f"For {plain(person)} alone: whoever redeems it decides as them. It works once, "
        f"until {local(found['expires_at'])}.\n"
    )
    to_copy(found["code"])


def identities(person: Person, *, config: Config, json: Json = False, debug: Debug = False) -> None:
    """List the accounts in chats that are linked to a person."""
    found = ask(
        config, lambda api: api.get("people", person, "identities"), json_wanted=json, debug=debug
    )
    _show(found, person, json_wanted=json)


def unlink(
    person: Person,
    *,
    chat: _Chat,
    tenant: Annotated[str, typer.Option(help="The organisation in the chat.")],
    user: Annotated[str, typer.Option(help="The account in that organisation.")],
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Part an account in a chat from a person: it counts for nothing any more."""
    body = {"chat": chat, "tenant": tenant, "user": user}
    found = ask(
        config,
        lambda api: api.post("people", person, "identities", "unlink", body=body),
        json_wanted=json,
        debug=debug,
    )
    _show(found, person, json_wanted=json)


def _show(found: dict[str, Any], person: str, *, json_wanted: bool) -> None:
    if json_wanted:
        as_json(found)
        return
    table(
        ("chat", "tenant", "user", "linked by", "since"),
        [
            (
                one["chat"],
                one["tenant"],
                one["user"],
                one["by"],
                local(one["linked_at"]),
            )
            for one in found["identities"]
        ],
        empty=f"No account is linked to {person}. `keyturn person link-code` makes a code.",
    )

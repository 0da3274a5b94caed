"""``auth.*``, ``users.*``, ``usergroups.*`` and ``oauth.*`` of the fake."""

import secrets
from typing import Final

from adapters.slack.testing.calls import Call, Method, Refusal
from adapters.slack.testing.world import Account, Json, Token


def _auth_test(call: Call) -> Json:
    token, world = call.caller, call.world
    told: Json = {
        "url": "https://fake.slack.test/",
        "team": token.enterprise or "",
        "user": "keyturn",
        "user_id": token.bot_user,
        "bot_id": f"B{token.bot_user[1:]}",
        "is_enterprise_install": token.team is None,
    }
    if token.team is not None:
        team = world.teams[token.team]
        told |= {"team": team.name, "team_id": team.id}
    else:
        told |= {"team_id": token.enterprise}
    if token.enterprise:
        told["enterprise_id"] = token.enterprise
    return told


def _revoke(call: Call) -> Json:
    call.caller.is_revoked = True
    return {"revoked": True}


def _seen_by(call: Call, account: Account) -> Json:
    return account.told(
        with_email=call.has_scope("users:read.email"),
        workspaces=call.world.workspaces_of(account.enterprise),
    )


def _info(call: Call) -> Json:
    wanted = call.text("user")
    for account in call.world.accounts.values():
        if wanted in {account.id, account.global_id}:
            return {"user": _seen_by(call, account)}
    raise Refusal("user_not_found")


def _by_email(call: Call) -> Json:
    wanted = call.text("email").casefold()
    for account in call.world.accounts.values():
        is_here = call.caller.team is None or account.team == call.caller.team
        if account.email.casefold() == wanted and is_here:
            return {"user": _seen_by(call, account)}
    raise Refusal("users_not_found")


def _group_users(call: Call) -> Json:
    if not call.world.is_on_paid_plan:
        raise Refusal("plan_upgrade_required")
    group = call.world.groups.get(call.text("usergroup"))
    if group is None or group.team != call.team.id:
        raise Refusal("no_such_subteam")
    if group.is_disabled and str(call.args.get("include_disabled", "")).lower() != "true":
        raise Refusal("subteam_disabled")
    return {"users": list(group.users)}


def _groups(call: Call) -> Json:
    if not call.world.is_on_paid_plan:
        raise Refusal("plan_upgrade_required")
    return {
        "usergroups": [
            {"id": group.id, "team_id": group.team, "handle": group.handle}
            for group in call.world.groups.values()
            if group.team == call.team.id
        ]
    }


def _bot(call: Call) -> Json:
    return {"bot": {"id": call.text("bot"), "app_id": "A0KEYTURN", "user_id": call.caller.bot_user}}


class Installing:
    """The consent page's side of OAuth: codes that were given and not used yet."""

    def __init__(self, *, client_id: str, client_secret: str, app_id: str) -> None:
        self._client = client_id, client_secret
        self._app_id = app_id
        self._codes: dict[str, tuple[Token, str, str]] = {}

    def consent(self, token: Token, *, installer: str, redirect_uri: str) -> str:
        """Return the code that is exchanged for *token*, once."""
        code = secrets.token_hex(12)
        self._codes[code] = token, installer, redirect_uri
        return code

    def access(self, call: Call) -> Json:
        in_form = call.args.get("client_id"), call.args.get("client_secret")
        if self._client not in {in_form, call.basic}:
            raise Refusal("bad_client_secret")
        found = self._codes.pop(str(call.args.get("code")), None)
        if found is None:
            raise Refusal("invalid_code")
        token, installer, redirect_uri = found
        if call.args.get("redirect_uri") != redirect_uri:
            raise Refusal("bad_redirect_uri")
        call.world.tokens[token.value] = token
        team = call.world.teams.get(token.team or "")
        enterprise = token.enterprise
        return {
            "app_id": self._app_id,
            "authed_user": {"id": installer},
            "scope": ",".join(sorted(token.scopes)),
            "token_type": "bot",
            "access_token": token.value,
            "bot_user_id": token.bot_user,
            "team": None if team is None else {"id": team.id, "name": team.name},
            "enterprise": None if enterprise is None else {"id": enterprise, "name": enterprise},
            "is_enterprise_install": token.team is None,
        }


METHODS: Final = {
    "auth.test": Method(answer=_auth_test, is_read=True),
    "auth.revoke": Method(answer=_revoke, is_read=True),
    "users.info": Method(answer=_info, scope="users:read", is_read=True),
    "users.lookupByEmail": Method(answer=_by_email, scope="users:read.email", is_read=True),
    "usergroups.users.list": Method(answer=_group_users, scope="usergroups:read", is_read=True),
    "usergroups.list": Method(answer=_groups, scope="usergroups:read", is_read=True),
    "bots.info": Method(answer=_bot, scope="users:read", is_read=True),
}

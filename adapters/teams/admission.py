"""Who may speak once a token is genuine: what the SDK leaves open is decided here."""

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from adapters.teams.hosts import ServiceHosts
from adapters.teams.transport import NotGenuine

#: A token of the agent's own organisation for our audience has another issuer.
ISSUER: Final = "https://api.botframework.com"
CHANNEL: Final = "msteams"

_GUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Admission:
    """Admits activities of Teams alone, from people of *tenants*, over *hosts*."""

    app_id: str
    tenants: Collection[str]
    hosts: ServiceHosts

    def admit(self, claims: Mapping[str, Any], activity: Mapping[str, Any]) -> None:
        """Raise NotGenuine unless *activity*, as it came, is one that *claims* may bring."""
        self._admit_token(claims)
        service_url = activity.get("serviceUrl")
        if not service_url or claims.get("serviceurl") != service_url:
            raise NotGenuine("a token for another service address")
        if not self.hosts.admits(service_url):
            raise NotGenuine("an unknown service address")
        if activity.get("channelId") != CHANNEL:
            raise NotGenuine("another channel")
        if tenant_of(activity) not in self.tenants:
            raise NotGenuine("another tenant")
        if user_of(activity) is None:
            raise NotGenuine("nobody's account")

    def suspicion(self, authorization: str, activity: Mapping[str, Any]) -> str | None:
        """Return what is wrong with what an unproven token claims: for the log, and nothing else.

        The SDK says of most refusals no more than that there was one.
        """
        claims = _unproven(authorization)
        if claims is None:
            return "no token"
        try:
            self.admit(claims, activity)
        except NotGenuine as error:
            return str(error)
        return None

    def _admit_token(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != ISSUER:
            raise NotGenuine("another issuer")
        if claims.get("aud") != self.app_id:
            raise NotGenuine("a token for another app")
        ends = claims.get("exp")
        if isinstance(ends, bool) or not isinstance(ends, int | float):
            # The SDK takes a token without an end for one that never ends.
            raise NotGenuine("a token without an end")


def tenant_of(activity: Mapping[str, Any]) -> str | None:
    """Return the organisation that *activity* came from; None unless every place agrees on one."""
    told = [
        found
        for found in (
            _at(activity, "channelData", "tenant", "id"),
            _at(activity, "conversation", "tenantId"),
        )
        if found is not None
    ]
    named = {_guid(one) for one in told}
    return named.pop() if len(named) == 1 else None


def user_of(activity: Mapping[str, Any]) -> str | None:
    """Return the Entra object id of who acted; None when Teams names none."""
    return _guid(_at(activity, "from", "aadObjectId"))


def _unproven(authorization: str) -> Mapping[str, Any] | None:
    """Return the claims of a token that anybody may have written; None when it is none."""
    scheme, _, token = authorization.partition(" ")
    parts = token.split(".")
    if scheme != "Bearer" or len(parts) != 3:
        return None
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


def _at(value: Any, *path: str) -> Any:
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _guid(value: Any) -> str | None:
    lower = value.lower() if isinstance(value, str) else ""
    return lower if _GUID.fullmatch(lower) else None

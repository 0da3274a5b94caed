"""What an agent does: propose, wait, withdraw, take a grant, say what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from keyturn_client.action import Action
from keyturn_client.errors import GateUnreachable
from keyturn_client.gate import Gate

MAX_WAIT_S: Final = 50

_FINAL = frozenset(
    {
        "denied",
        "expired",
        "failed",
        "rejected",
        "revoked",
        "succeeded",
        "superseded",
        "withdrawn",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """``message`` is what to tell a model; ``answer`` is everything that the gate said.

    ``executed`` is None while nobody can tell: the action must not be repeated then.
    """

    id: str
    state: str
    message: str
    reason: str | None
    executed: bool | None
    answer: Mapping[str, Any]

    @property
    def is_final(self) -> bool:
        return self.state in _FINAL

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Return the proposal in *answer*.

        Raises:
            GateUnreachable: it is not a proposal.
        """
        try:
            return cls(
                id=answer["id"],
                state=answer["state"],
                message=answer["message"],
                reason=answer["reason"],
                executed=answer["executed"],
                answer=answer,
            )
        except KeyError as error:
            raise GateUnreachable("The gate's answer is not a proposal.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """``token`` goes to the resource server ``audience``, until ``expires_at`` (RFC 3339)."""

    token: str
    audience: str
    expires_at: str


class Keyturn:
    """An agent's conversation with its gate; to be used as an async context manager."""

    def __init__(self, url: str, *, token: str, timeout_s: float = 10.0) -> None:
        self._gate = Gate(url, token=token, timeout_s=timeout_s)

    async def __aenter__(self) -> Self:
        await self._gate.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._gate.close()

    async def propose(
        self,
        action: Action,
        *,
        key: str,
        audience: str | None = None,
        wait_s: int = 0,
        **more: Any,
    ) -> Proposal:
        """Ask to have *action* done; with *audience*, to be released for it.

        *key* is the Idempotency-Key: send the same one when you try again. *more* are further
        members of the body, such as ``rationale`` and ``on_behalf_of``.

        Raises:
            Refused: the gate refused it.
            GateUnreachable: it is not known whether it was kept.
        """
        body: dict[str, Any] = {
            "action": {
                "verb": action.verb,
                "resource": action.resource,
                "params": dict(action.params),
            },
            **more,
        }
        if audience is not None:
            body |= {"mode": "release", "audience": audience}
        headers = {"Idempotency-Key": key, **_prefer(wait_s)}
        answer = await self._gate.ask(
            "POST", "/v1/proposals", body=body, headers=headers, wait_s=wait_s
        )
        return Proposal.of(answer)

    async def wait(self, proposal: str, *, wait_s: int = MAX_WAIT_S) -> Proposal:
        """Return the proposal when it is final, its agent's turn, or after *wait_s* seconds.

        Raises:
            Refused: there is no such proposal of this agent.
            GateUnreachable: the gate did not answer.
        """
        answer = await self._gate.ask(
            "GET", f"/v1/proposals/{proposal}", headers=_prefer(wait_s), wait_s=wait_s
        )
        return Proposal.of(answer)

    async def withdraw(self, proposal: str, *, reason: str = "") -> Proposal:
        """Take the proposal back.

        Raises:
            Refused: it is too late.
            GateUnreachable: it is not known whether it was taken back.
        """
        answer = await self._gate.ask(
            "POST", f"/v1/proposals/{proposal}/withdraw", body={"reason": reason}
        )
        return Proposal.of(answer)

    async def grant(self, proposal: str) -> Grant:
        """Take the grant of an approved release; the same one again until it expires.

        Raises:
            Refused: there is none.
            GateUnreachable: ask again, nothing is lost.
        """
        answer = await self._gate.ask("POST", f"/v1/proposals/{proposal}/grant")
        try:
            return Grant(
                token=answer["grant"],
                audience=answer["audience"],
                expires_at=answer["expires_at"],
            )
        except KeyError as error:
            raise GateUnreachable("The gate's answer is not a grant.") from error

    async def succeeded(
        self, proposal: str, *, detail: str = "", reference: str | None = None
    ) -> Proposal:
        """Say that what was released was done: recorded as this agent's claim.

        Raises:
            Refused: nothing was redeemed.
            GateUnreachable: say it again.
        """
        body = {"result": "succeeded", "detail": detail, "reference": reference}
        answer = await self._gate.ask("POST", f"/v1/proposals/{proposal}/outcome", body=body)
        return Proposal.of(answer)


def _prefer(wait_s: int) -> dict[str, str]:
    return {"Prefer": f"wait={min(wait_s, MAX_WAIT_S)}"} if wait_s > 0 else {}

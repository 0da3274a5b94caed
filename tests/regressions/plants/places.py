"""Where faults are planted, and what several of them share."""

from typing import Final

from tests.regressions.plants.fault import Edit

HERE: Final = "tests/regressions/test_"
TRANSITIONS: Final = "bot/core/transitions"
STATES: Final = "bot/core/states.py"
APPROVAL: Final = "bot/core/approval.py"
SERVICE: Final = "bot/service"
CARD: Final = "bot/core/card.py"
SESSION: Final = "adapters/web/session.py"
HTTP: Final = "adapters/http/connector.py"

PENDING: Final = "    if proposal.state is not State.PENDING:\n        return _too_late"


def reopened(*states: str) -> tuple[Edit, ...]:
    """Return what makes an approval count though the proposal is in one of *states*."""
    also = "".join(f", State.{state}" for state in states)
    past = f"    if proposal.state not in (State.PENDING{also}):\n        return _too_late"
    ways = "{_E.APPROVE: _way(_S.APPROVED, _PERSON)}"
    return (
        Edit(TRANSITIONS, PENDING, past),
        *(
            Edit(STATES, f"        _S.{name}: {{}},", f"        _S.{name}: {ways},")
            for name in states
        ),
    )


SENDS: Final = "await self._client.send(request, within_s=min(within_s, self._timeout_s))"
ANY_PROOF: Final = Edit(
    SESSION,
    "return hmac.compare_digest(self.proof(purpose).encode(), proof.encode())",
    "return bool(proof and purpose)",
)
FORGETS: Final = Edit("bot/settings.py", '    type: Name = "sqlite"', '    type: Name = "memory"')

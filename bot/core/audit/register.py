"""Who and what the log has introduced so far: people, agents, halts, the policy in force."""

from collections.abc import Mapping
from typing import Any, Final

from bot.core.audit.entries import LOG_OPENED, OF_THE_OFFICE
from bot.core.audit.problems import Fault, Problems
from bot.core.halts import HaltScope, HaltTarget, covers
from bot.core.ids import AgentId, PersonId

_PERSON: Final = "person:"


class Register:
    """Follows the entries that are about no proposal.

    Where ``whole`` is false only some entries of a log are read, and who is not introduced may
    have been elsewhere.
    """

    __slots__ = (
        "_halts",
        "_people",
        "_problems",
        "_whole",
        "is_reopened",
        "owners",
        "policy",
        "unknown_types",
    )

    def __init__(self, problems: Problems, *, whole: bool) -> None:
        self._problems = problems
        self._whole = whole
        self._people: set[str] = set()
        self._halts: dict[str, HaltTarget | None] = {}
        self.owners: dict[str, str] = {}
        self.policy: str | None = None
        self.is_reopened = False
        self.unknown_types: dict[str, int] = {}

    def follow(self, index: int, type_: str, body: Mapping[str, Any]) -> None:
        """Read an entry that is about no proposal."""
        match type_:
            case "policy.activated":
                if body.get("before") != self.policy:
                    what = "replaces a policy that was not in force"
                    self._problems.add(index, Fault.UNKNOWN_POLICY, what)
                self.policy = body.get("digest")
            case "person.created":
                self._people.add(body["person"])
            case "agent.created":
                self.owners[body["agent"]] = body["owner"]
                self.require_person(index, body["owner"])
            case "halt.set":
                self._halts[body["halt"]] = _target(body)
            case "halt.ended":
                self._end(index, body["halt"])
            case _ if type_ in OF_THE_OFFICE:
                self.is_reopened |= type_ == LOG_OPENED
                if "agent" in body:
                    self.require_agent(index, body["agent"])
                if "person" in body:
                    self.require_person(index, body["person"])
            case _:
                self.note_unknown(type_)

    def note_unknown(self, type_: str) -> None:
        self.unknown_types[type_] = self.unknown_types.get(type_, 0) + 1

    def check_actor(self, index: int, actor: str) -> None:
        """Check that a person who acts was introduced before."""
        if actor.startswith(_PERSON):
            self.require_person(index, actor[len(_PERSON) :])

    def check_policy(self, index: int, digest: object) -> None:
        """Check the digest of the policy that an entry says was in force."""
        if digest != self.policy and self._whole:
            what = "names another policy than the one in force"
            self._problems.add(index, Fault.UNKNOWN_POLICY, what)

    def require_agent(self, index: int, agent: object) -> None:
        if self._whole and agent not in self.owners:
            what = f"is about the agent {agent}, which was never registered"
            self._problems.add(index, Fault.UNKNOWN_AGENT, what)

    def require_person(self, index: int, person: object) -> None:
        if self._whole and person not in self._people:
            what = f"is about the person {person}, who was never registered"
            self._problems.add(index, Fault.UNKNOWN_PERSON, what)

    def halts_on(self, *, agent: str, principal: str, connector: str) -> str | None:
        """Return the halt in force that stops this, if there is one."""
        for halt, target in self._halts.items():
            if target is not None and covers(
                target, agent=AgentId(agent), principal=PersonId(principal), connector=connector
            ):
                return halt
        return None

    def _end(self, index: int, halt: str) -> None:
        if self._halts.get(halt) is None:
            self._problems.add(index, Fault.UNKNOWN_HALT, f"ends the stop {halt}, not in force")
        # Known, and over.
        self._halts[halt] = None


def _target(body: Mapping[str, Any]) -> HaltTarget:
    return HaltTarget(
        scope=HaltScope(body["scope"]),
        agent=body.get("agent"),
        principal=body.get("principal"),
        connector=body.get("connector"),
    )

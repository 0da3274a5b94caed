"""An office of Teams without Teams: what people press goes in, what they are told comes out."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.teams import limits
from adapters.teams.answering import Listening
from adapters.teams.elements import size_of, texts_of
from adapters.teams.inbound import Channel, Invoke, Sender, Submitted, Typed
from adapters.teams.office import Office
from adapters.teams.pressable import Key, Verb
from bot.core.about import value_of
from bot.core.actors import Person
from bot.core.identified import Identified, Known, Unlinked
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId, ProposalId
from bot.core.pressed import Pressed
from bot.ports.desk import Click
from bot.testing.desk import MemoryDesk
from tests.teams.rendering.reading import card_in, complaints
from tests.teams.rendering.scenes import WEB, Day, a_teams_day
from tests.web.scenes import DANA, MIRA, SAM

TENANT = "11111111-2222-4333-8444-555555555555"
CHANNEL = Channel(
    tenant=TENANT,
    id="19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2",
    name="Approvals",
    team_name="Platform",
)
CARD = "application/vnd.microsoft.card.adaptive"
WORDS = "application/vnd.microsoft.activity.message"


@dataclass(slots=True)
class SlowDesk(MemoryDesk):
    """``gate`` holds back whatever is named in ``slow`` until it is opened; ``reached`` says that
    something waits there. What is named in ``broken`` raises.
    """

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    slow: frozenset[str] = frozenset()
    broken: Mapping[str, Exception] = field(default_factory=dict)
    within: list[float] = field(default_factory=list)

    async def press(self, click: Click, *, within_s: float = 0.0) -> Pressed:
        self.within.append(within_s)
        await self.pass_gate("press")
        return await MemoryDesk.press(self, click, within_s=within_s)

    async def card(self, person: PersonId, proposal: ProposalId, *, max_chars: int) -> Any:
        await self.pass_gate("card")
        return await MemoryDesk.card(self, person, proposal, max_chars=max_chars)

    async def agents(self, person: PersonId) -> Any:
        await self.pass_gate("agents")
        return await MemoryDesk.agents(self, person)

    async def pass_gate(self, name: str) -> None:
        if name in self.slow:
            self.reached.set()
            await self.gate.wait()
        if name in self.broken:
            raise self.broken[name]


@dataclass(slots=True)
class Keeping:
    """Implements :class:`adapters.teams.office.CardKeeper`."""

    adopted: list[tuple[str, ProposalId, PersonId]] = field(default_factory=list)
    refreshed: list[tuple[ProposalId, PersonId]] = field(default_factory=list)

    async def adopt(
        self, sender: Sender, activity_id: str, proposal: ProposalId, person: PersonId
    ) -> None:
        assert sender.is_alone
        self.adopted.append((activity_id, proposal, person))

    async def refresh(self, proposal: ProposalId, person: PersonId) -> None:
        self.refreshed.append((proposal, person))


@dataclass(slots=True)
class FrontOffice:
    """Dana is an admin, Mira and Sam are not; whoever is in nobody's list is a stranger."""

    day: Day = field(default_factory=a_teams_day)
    keeping: Keeping = field(default_factory=Keeping)
    said: list[tuple[Sender, Mapping[str, Any]]] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    who: dict[str, Identified] = field(default_factory=dict)
    clicker_fails: Exception | None = None
    web_url: str | None = WEB
    answered_within_s: float = 5.0
    slow_s: float = 5.0
    desk: SlowDesk = field(init=False)
    listening: Listening = field(init=False)

    def __post_init__(self) -> None:
        made = self.day.desk
        self.desk = SlowDesk(
            clock=made.clock,
            people=made.people,
            known_agents=made.known_agents,
            proposals=made.proposals,
            approvers=made.approvers,
            linkable=("teams",),
        )
        for person in (DANA, MIRA, SAM):
            known = Known(person=person, identity=self.identity(str(person.id)))
            self.who[str(person.id)] = known
        office = Office(
            desk=self.desk,
            chat_name="teams",
            clicker=self._clicker,
            cards=self.keeping,
            say=self._say,
            web_url=self.web_url,
        )
        self.listening = Listening(
            office, answered_within_s=self.answered_within_s, slow_s=self.slow_s
        )

    async def _clicker(self, sender: Sender) -> Identified:
        if self.clicker_fails is not None:
            raise self.clicker_fails
        unlinked = Unlinked(identity=self.identity(sender.user))
        return self.who.get(sender.user, unlinked)

    async def _say(self, sender: Sender, activity: Mapping[str, Any]) -> None:
        self.said.append((sender, activity))
        self.heard.set()

    def identity(self, user: str) -> ChatIdentity:
        return ChatIdentity(chat="teams", tenant=TENANT, user=user)

    def sender(self, person: Person | str, *, kind: str = "personal") -> Sender:
        user = person if isinstance(person, str) else str(person.id)
        return Sender(
            tenant=TENANT,
            user=user,
            mri=f"29:{user}",
            conversation="a:1" if kind == "personal" else CHANNEL.id,
            conversation_type=kind,
            service_url="https://smba.trafficmanager.net/emea/",
            bot="28:bot",
        )

    def about(self, name: str) -> dict[str, str]:
        return {Key.ABOUT.value: value_of(self.day.card(name))}

    def invoke(
        self,
        verb: str,
        data: Mapping[str, str],
        *,
        by: Person | str = DANA,
        kind: str = "personal",
        trigger: str = "manual",
    ) -> Invoke:
        return Invoke(
            who=self.sender(by, kind=kind),
            verb=verb,
            data=data,
            trigger=trigger,
            activity_id="f:1",
            reply_to="1700000000001",
        )

    async def press(self, verb: str, data: Mapping[str, str], **more: Any) -> dict[str, Any]:
        """Press a button and return its answer, which is one that Teams takes."""
        answer = await self.listening.invoke(self.invoke(verb, data, **more))
        check_answer(answer)
        return answer

    async def submit(
        self, verb: str, data: Mapping[str, str], *, by: Person | str = DANA, kind: str = "personal"
    ) -> None:
        """Press the same button in an old client."""
        await self.listening.message(
            Submitted(
                who=self.sender(by, kind=kind),
                verb=verb,
                data={"verb": verb, **data},
                activity_id="f:2",
                reply_to="1700000000001",
            )
        )

    async def type(self, text: str, *, by: Person | str = DANA, at: Channel | None = None) -> str:
        """Write *text*, and return all that is answered in the person's own chat."""
        before = len(self.said)
        kind = "personal" if at is None else "channel"
        await self.listening.message(
            Typed(who=self.sender(by, kind=kind), text=text, activity_id="f:3", channel=at)
        )
        return "\n".join(map(words_in, self.said[before:]))

    @property
    def did(self) -> list[str]:
        """What was changed, by name."""
        return [name for name, _ in self.desk.journal]

    def last_said(self) -> str:
        return words_in(self.said[-1])


def words_in(said: tuple[Sender, Mapping[str, Any]]) -> str:
    """Return what an activity says, which is one that Teams takes."""
    activity = said[1]
    assert set(activity) == {"type", "summary", "attachments", "channelData"}
    check_card(card_in(activity))
    return "\n".join(texts_of(card_in(activity)))


def text_of(answer: Mapping[str, Any]) -> str:
    """Return what can be read in an answer."""
    value = answer["value"]
    return value if isinstance(value, str) else "\n".join(texts_of(value))


def check_answer(answer: Mapping[str, Any]) -> None:
    assert set(answer) == {"statusCode", "type", "value"}
    assert answer["statusCode"] == 200
    if answer["type"] == CARD:
        check_card(answer["value"])
        return
    assert answer["type"] == WORDS
    assert isinstance(answer["value"], str)
    assert answer["value"].strip()


def check_card(card: Mapping[str, Any]) -> None:
    assert complaints(card) == []
    assert size_of(card) <= limits.CARD_BYTES


def confirmed(data: Mapping[str, str], **more: str) -> dict[str, str]:
    return {**data, Key.STEP.value: "do", **more}


ALL_VERBS = tuple(Verb)

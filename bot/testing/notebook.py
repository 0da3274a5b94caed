"""A connector without a vendor: it writes notes into a list and can be told how to behave."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from bot.core.canonical import Digest
from bot.core.proposal import Action
from bot.core.verbs import Audience, Facts, Kind, Preview, Reach, Undo, Verb
from bot.ports.connector import Absent, Executed, Found, LookedUp, Succeeded

WRITE = Verb(
    name="note.write",
    connector="notebook",
    kind=Kind.WRITE,
    summary="Write a note",
    params_schema={
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
        "additionalProperties": False,
    },
    resources=("note:*",),
    can_look_up=True,
    settles_after_s=30,
    config_digest=Digest("sha256:" + "0" * 64),
)


ERASE = Verb(
    name="note.erase",
    connector="notebook",
    kind=Kind.DESTRUCTIVE,
    summary="Erase a note",
    params_schema={"type": "object", "properties": {}, "additionalProperties": False},
    resources=("note:*",),
    config_digest=Digest("sha256:" + "1" * 64),
)
#: How long `Notebook.with_undo` lets a note be taken back.
UNDO_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What arrived: the exact canonical text of the action, and the key it came under."""

    action: bytes
    key: str


@dataclass(slots=True)
class Notebook:
    """Implements :class:`bot.ports.connector.Connector`.

    ``behave`` runs in place of a plain success, after the note was written. With ``erase``, what
    was written can be taken back; that is noted in ``written`` too.
    """

    verb: Verb = WRITE
    erase: Verb | None = None
    written: list[Written] = field(default_factory=list)
    facts: Facts = field(
        default_factory=lambda: Facts(
            audience=Audience(reach=Reach.ORGANISATION, who="Everybody at work", readers=40)
        )
    )
    behave: Callable[[Action], Awaitable[Executed]] | None = None
    answer_lookup: Callable[[Action], LookedUp] | None = None

    @classmethod
    def with_undo(cls) -> Self:
        """Return a notebook whose notes can be erased until `UNDO_S` after they were written."""
        undo = Undo(verb=ERASE.name, window_s=UNDO_S)
        return cls(verb=replace(WRITE, undo=undo), erase=ERASE)

    @property
    def name(self) -> str:
        return self.verb.connector

    @property
    def verbs(self) -> Mapping[str, Verb]:
        declared = (self.verb,) if self.erase is None else (self.verb, self.erase)
        return {verb.name: verb for verb in declared}

    async def inspect(self, action: Action) -> Facts:  # noqa: ARG002 - the same for every action
        return self.facts

    def undo(self, action: Action, *, reference: str | None) -> Action | None:  # noqa: ARG002 - one note, one name
        if self.erase is None or reference is None:
            return None
        return Action(verb=self.erase.name, resource=f"note:{reference}", params={})

    def preview(self, action: Action, facts: Facts) -> Preview:  # noqa: ARG002 - as above
        if action.verb == ERASE.name:
            return Preview(effect="Erase a note", target=action.resource, reversible="No.")
        return Preview(
            effect="Write a note",
            target=action.resource,
            reversible="It can be deleted by hand.",
            after=dict(action.params),
        )

    async def execute(
        self,
        action: Action,
        *,
        key: str,
        etag: str | None,  # noqa: ARG002 - notes have no state
        deadline: datetime,  # noqa: ARG002 - it does not wait
    ) -> Executed:
        self.written.append(Written(action=action.canonical(), key=key))
        if self.behave is not None:
            return await self.behave(action)
        return Succeeded(detail="The note was written.", reference=f"note-{len(self.written)}")

    async def lookup(self, action: Action, *, key: str) -> LookedUp:
        if self.answer_lookup is not None:
            return self.answer_lookup(action)
        found = any(note.key == key for note in self.written)
        return Found(reference="found") if found else Absent()

    async def close(self) -> None:
        """Nothing is open."""

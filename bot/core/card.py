"""What a person is shown about one proposal, built from stored bytes and observed facts alone.

A :class:`Card` holds plain values; each chat turns it into its own elements. Every
:class:`Untrusted` value comes from an agent or a target and is shown only through
:func:`bot.core.untrusted.show`. ``content_digest`` covers what the decision rests on and is
recorded with the decision; votes and status around it may change without changing it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum, unique
from typing import cast

import orjson

from bot.core.actors import Agent, Person
from bot.core.approval import Approval, ApprovalMode, has_approved
from bot.core.canonical import Digest, Json, canonical, digest_of
from bot.core.frozen import frozen
from bot.core.ids import AgentId, PersonId, ProposalId
from bot.core.proposal import Action, Outcome, Proposal, Rationale, facts_value, rationale_value
from bot.core.states import State
from bot.core.untrusted import Oddity, Untrusted, hidden, show, suspicious_hosts
from bot.core.verbs import Audience, Kind

#: How many characters of the action a card shows before it sends people to the full view.
CARD_CHARS = 4_000
FULL_VIEW_PAGE_CHARS = 20_000
FINGERPRINT_CHARS = 16


_WARNINGS = {
    Oddity.CONTROL: "It contains control characters. They are shown as codes in ⟨brackets⟩.",
    Oddity.DIRECTION: "It contains characters that reverse the reading order, shown as codes.",
    Oddity.INVISIBLE: "It contains invisible characters, shown as codes in ⟨brackets⟩.",
    Oddity.SPACE: "It contains characters that only look like spaces, shown as codes.",
    Oddity.PADDING: "It contains long runs of blank space, shown as a count.",
    Oddity.MARKS: "It contains letters with too many marks, shown as codes.",
    Oddity.UNKNOWN: "It contains characters that have no agreed look, shown as codes.",
    Oddity.LOOKALIKE_HOST: "It names a host whose letters imitate those of another.",
    Oddity.ENCODED_HOST: "It names a host with letters beyond the English alphabet.",
    Oddity.HOST_AFTER_AT: "It has a link whose beginning only looks like its host.",
}


@unique
class Button(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    FULL_VIEW = "full_view"
    STOP_AGENT = "stop_agent"
    SETTLE_DONE = "settle_done"  #: a person found that the effect happened
    SETTLE_NOT_DONE = "settle_not_done"  #: a person found that it did not
    UNDO = "undo"  #: take back what was done, while that is possible
    NOT_MINE = "not_mine"  #: reject it and report that it was not this person's to be asked


@frozen
class Field:
    """One value of the action. ``path`` is a JSON pointer into the params.

    ``before`` is None where the target's present value is not known or not there.
    """

    path: Untrusted
    value: Untrusted
    before: Untrusted | None = None


@frozen
class Card:
    """``missing_chars`` tells how much of the action is not on the card; 0 means all of it is.
    ``is_viewed`` says that this reader was served the whole action in a full view.

    ``buttons`` are what this reader may press now; empty when nothing is asked of them.
    ``undoes`` names what this takes back; ``undo_until`` is until when this can be taken back,
    ``undone_by`` what does that, and ``undo_state`` how far it is.
    """

    proposal: ProposalId
    digest: Digest
    fingerprint: str
    content_digest: Digest
    state: State
    audience: Audience
    effect: Untrusted
    target: Untrusted
    reversible: str
    agent: AgentId
    agent_name: str
    agent_purpose: str
    on_behalf_of: str
    verb: str
    connector: str
    kind: Kind
    fields: tuple[Field, ...]
    missing_chars: int
    total_chars: int
    pinned: bool
    warnings: tuple[str, ...]
    rationale: Rationale
    approval: Approval | None
    approvals_given: int
    created_at: datetime
    expires_at: datetime | None
    use_by: datetime | None
    changed_at: datetime
    status: str
    outcome: Outcome | None
    successor_of: ProposalId | None
    undoes: ProposalId | None
    undo_until: datetime | None
    undone_by: ProposalId | None
    undo_state: State | None
    buttons: tuple[Button, ...]
    approve_needs_full_view: bool
    is_viewed: bool = False
    #: Whether the reader has approved already, where others still have to.
    is_approved_by_reader: bool = False

    @property
    def title(self) -> str:
        """One line for lists and notifications: who wants to do what."""
        who = self.agent_name if self.undoes is None else self.on_behalf_of
        return f"{who}: {show(self.effect)}"


@frozen
class UndoStanding:
    """Whether a reader is offered to undo a proposal, and the proposal that does so already."""

    offered: bool = False
    by: Proposal | None = None


_NO_UNDO = UndoStanding()


def build_card(
    proposal: Proposal,
    *,
    agent: Agent,
    principal: Person,
    reader: PersonId,
    may_decide: bool,
    undo: UndoStanding = _NO_UNDO,
    status: str,
    max_chars: int = CARD_CHARS,
) -> Card:
    """Return the card of *proposal* as *reader* sees it.

    *may_decide* says whether the reader is among the eligible approvers now; *status* is the
    sentence of :func:`bot.core.status.status_line`.
    """
    action = proposal.action
    shown, missing, total = _fit(proposal, action, max_chars)
    fingerprint = fingerprint_of(proposal.digest)
    viewed = proposal.has_viewed(reader)
    approved = proposal.state is State.PENDING and has_approved(
        proposal.decisions, reader, digest=proposal.digest
    )
    return Card(
        proposal=proposal.id,
        digest=proposal.digest,
        fingerprint=fingerprint,
        content_digest=_content_digest(proposal, shown, missing),
        state=proposal.state,
        audience=proposal.facts.audience,
        effect=Untrusted(proposal.preview.effect),
        target=Untrusted(proposal.preview.target),
        reversible=proposal.preview.reversible,
        agent=proposal.agent,
        agent_name=agent.name,
        agent_purpose=agent.purpose,
        on_behalf_of=principal.display_name,
        verb=action.verb,
        connector=proposal.connector,
        kind=proposal.kind,
        fields=shown,
        missing_chars=missing,
        total_chars=total,
        pinned=proposal.etag is not None or proposal.facts.etag is not None,
        warnings=_warnings(proposal, action),
        rationale=proposal.rationale,
        approval=proposal.approval,
        approvals_given=len({d.person for d in proposal.decisions if d.choice.value == "approve"}),
        created_at=proposal.created_at,
        expires_at=proposal.expires_at,
        use_by=proposal.use_by,
        changed_at=proposal.changed_at,
        status=status,
        outcome=proposal.outcome,
        successor_of=proposal.successor_of,
        undoes=proposal.undoes,
        undo_until=proposal.undo_until,
        undone_by=None if undo.by is None else undo.by.id,
        undo_state=None if undo.by is None else undo.by.state,
        buttons=_buttons(
            proposal, reader=reader, may_decide=may_decide, may_approve=not approved, undo=undo
        ),
        approve_needs_full_view=missing > 0 and not viewed,
        is_viewed=viewed,
        is_approved_by_reader=approved,
    )


def content_digest(proposal: Proposal, *, max_chars: int = CARD_CHARS) -> Digest:
    """Return the digest of what a card of *proposal* shows at *max_chars*."""
    shown, missing, _ = _fit(proposal, proposal.action, max_chars)
    return _content_digest(proposal, shown, missing)


def _content_digest(proposal: Proposal, shown: Sequence[Field], missing: int) -> Digest:
    preview = proposal.preview
    return digest_of(
        {
            "digest": proposal.digest,
            # Erased with the content: without it a guess at the whole card could be confirmed.
            "salt": proposal.salt,
            "facts": facts_value(proposal.facts),
            "effect": preview.effect,
            "target": preview.target,
            "reversible": preview.reversible,
            "fields": [[f.path, f.value, f.before] for f in shown],
            "missing_chars": missing,
            "rationale": rationale_value(proposal.rationale),
        }
    )


def is_cut(proposal: Proposal, *, max_chars: int = CARD_CHARS) -> bool:
    """Return whether a card of *max_chars* leaves out some of the action."""
    return _fit(proposal, proposal.action, max_chars)[1] > 0


def fingerprint_of(digest: Digest) -> str:
    """Return the part of *digest* that people compare, in groups of four."""
    start = digest.removeprefix("sha256:")[:FINGERPRINT_CHARS]
    return " ".join(start[n : n + 4] for n in range(0, len(start), 4))


@frozen
class FullViewPage:
    """One page of the whole action: ``text`` is shown text, exact when all pages are joined."""

    text: str
    number: int
    count: int

    @property
    def is_last(self) -> bool:
        return self.number == self.count


def full_view(
    proposal: Proposal, *, page: int, page_chars: int = FULL_VIEW_PAGE_CHARS
) -> FullViewPage:
    """Return page *page* (from 1) of the canonical text of the action; out of range is clamped.

    ``unshow`` of all pages' texts, joined, gives the canonical bytes back.
    """
    pages = _full_pages(proposal.action_json, page_chars)
    number = min(max(page, 1), len(pages))
    return FullViewPage(text=show(pages[number - 1]), number=number, count=len(pages))


def _full_pages(text: str, page_chars: int) -> list[Untrusted]:
    starts = range(0, max(len(text), 1), page_chars)
    return [Untrusted(text[start : start + page_chars]) for start in starts]


def _fit(proposal: Proposal, action: Action, max_chars: int) -> tuple[tuple[Field, ...], int, int]:
    """Return the fields that fit, in order, how many characters do not, and how many there are."""
    fields = tuple(_fields(action, before=proposal.preview.before))
    total = sum(len(field.value) for field in fields)
    room, shown = max_chars, []
    for field in fields:
        cost = len(field.path) + len(field.value) + len(field.before or "")
        if cost > room:
            break
        room -= cost
        shown.append(field)
    if len(shown) < len(fields) and room > 0:
        cut = fields[len(shown)]
        head = Untrusted(cut.value[: max(0, room - len(cut.path))])
        if head:
            shown.append(Field(path=cut.path, value=head))
    missing = total - sum(len(field.value) for field in shown)
    hidden_paths = len(fields) - len(shown)
    return tuple(shown), max(missing, hidden_paths), total


def _fields(action: Action, *, before: Json) -> Iterator[Field]:
    after = cast("Json", dict(action.params))
    earlier = dict(_walk(before)) if before is not None else {}
    for path, value in _walk(after):
        old = earlier.get(path)
        yield Field(
            path=Untrusted(path),
            value=Untrusted(value),
            before=Untrusted(old) if old is not None else None,
        )


def _walk(value: Json, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each leaf value with its JSON pointer (RFC 6901); empty containers are values too."""
    if isinstance(value, Mapping) and value:
        for key, member in value.items():
            yield from _walk(member, f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list | tuple) and value:
        for index, member in enumerate(value):
            yield from _walk(member, f"{path}/{index}")
    else:
        yield path or "/", _spelled(value)


def _spelled(value: Json) -> str:
    """Return text as it is, and the rest as JSON; text that could be taken for it in quotes."""
    if isinstance(value, str) and not _reads_as_json(value):
        return value
    return canonical(value).decode()


def _reads_as_json(text: str) -> bool:
    if text[:1] not in _JSON_BEGINS:
        return False
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


_JSON_BEGINS = frozenset('-0123456789"tfn[{ \t\n\r')


def _warnings(proposal: Proposal, action: Action) -> tuple[str, ...]:
    preview = proposal.preview
    texts = [preview.effect, preview.target, action.resource]
    texts += [part for pair in _walk(cast("Json", dict(action.params))) for part in pair]
    findings = (
        finding
        for text in map(Untrusted, texts)
        for finding in (*hidden(text), *suspicious_hosts(text))
    )
    return tuple(dict.fromkeys(_WARNINGS[finding.oddity] for finding in findings))


def _buttons(
    proposal: Proposal,
    *,
    reader: PersonId,
    may_decide: bool,
    may_approve: bool,
    undo: UndoStanding,
) -> tuple[Button, ...]:
    buttons: list[Button] = []
    # Whoever has approved may still say no; to approve again would change nothing.
    if proposal.state is State.PENDING and may_decide:
        buttons += [Button.APPROVE, Button.REJECT] if may_approve else [Button.REJECT]
    four_eyes = proposal.approval and proposal.approval.mode is ApprovalMode.FOUR_EYES
    if proposal.state is State.IN_DOUBT and (may_decide or reader == proposal.principal):
        buttons += [Button.SETTLE_DONE, Button.SETTLE_NOT_DONE]
    if undo.offered:
        buttons.append(Button.UNDO)
    buttons.append(Button.FULL_VIEW)
    may_stop = reader == proposal.principal or (may_decide and not four_eyes)
    if proposal.undoes is None and may_stop:
        buttons.append(Button.STOP_AGENT)
    if proposal.state is State.PENDING and may_decide:
        buttons.append(Button.NOT_MINE)
    return tuple(buttons)

"""A card as Slack shows it, in private: who will see it, what happens, exactly what, who asks."""

from dataclasses import dataclass
from typing import Final

from adapters.slack import limits
from adapters.slack.blocks import (
    Element,
    Message,
    Ours,
    actions,
    bold,
    box,
    button,
    confirm,
    context,
    date,
    divider,
    header,
    label,
    link,
    mrkdwn,
    option,
    overflow,
    pairs,
    plain,
    remark,
    rich,
    section,
)
from adapters.slack.exactly import exactly, fitted
from adapters.slack.fit import inert
from adapters.slack.pressable import ActionId, More
from bot.core import chat_words
from bot.core.about import value_of
from bot.core.card import Button, Card
from bot.core.ids import ProposalId
from bot.core.proposal import Source
from bot.core.states import State
from bot.core.words import (
    CLAIMED,
    KIND,
    NOT_PINNED,
    REACH,
    asks_for,
    may_change_unseen,
    needs_full_view,
    readers,
    rule,
    undo_label,
)

_DECIDES: Final = (Button.APPROVE, Button.REJECT, Button.SETTLE_DONE)


def render_card(card: Card, *, web_url: str | None) -> Message:
    """Return *card* as its reader sees it."""
    return Message(
        text=Ours(chat_words.notification(card)), blocks=card_blocks(card, web_url=web_url)
    )


def render_fallback(card: Card, *, web_url: str | None = None) -> Message:
    """Return what is shown when Slack refuses the card: nothing in it comes from elsewhere.

    Nobody can approve what they cannot read, so it offers no Approve.
    """
    to_do = "read it and decide" if any(asks_for(card, one) for one in _DECIDES) else "read it"
    way = f"Open the web inbox to {to_do}."
    if web_url is not None:
        way = f"{link(card_url(card.proposal, web_url), 'Open the web inbox')} to {to_do}."
    pressable = [_reject(card)] if asks_for(card, Button.REJECT) else []
    pressable += _more(card)
    return Message(
        text=Ours(chat_words.notification(card)),
        blocks=[
            header(chat_words.heading(card)),
            section(mrkdwn(Ours(f"Slack refuses to show this card. {way}"))),
            *([actions(*pressable)] if pressable else []),
            context(plain(f"Fingerprint {card.fingerprint}"), plain(card.proposal)),
        ],
    )


def card_blocks(card: Card, *, web_url: str | None) -> list[Element]:
    """Return the blocks of *card*, for a message or for a modal."""
    opening, action = _opening(card), fitted(card)
    return [
        *_blocks_of(card, opening),
        *_result(card),
        *_undo(card, web_url),
        *_warnings(card),
        divider(),
        *exactly(card, action),
        *_hints(card, web_url),
        *_claim(card),
        divider(),
        _people(card),
        *_buttons(card, is_whole=opening.is_whole and (action.is_whole or has_read(card))),
        _small_print(card, web_url),
    ]


def is_whole(card: Card) -> bool:
    """Return whether the Slack card leaves nothing out of what an approval covers."""
    return _opening(card).is_whole and fitted(card).is_whole


def has_read(card: Card) -> bool:
    """Return whether the reader was shown the whole of an action that no card holds."""
    return card.missing_chars > 0 and not card.approve_needs_full_view


def is_cut_around(card: Card) -> bool:
    """Return whether the Slack card cuts something that is not the action itself."""
    said = card.rationale
    cut = [
        inert(said.why, at_most=limits.WHY).missing,
        inert(said.expects, at_most=limits.EXPECTS).missing,
        max(len(said.read) - limits.SOURCES, 0),
        *(inert(source.ref, at_most=limits.SOURCE).missing for source in said.read),
    ]
    return any(cut) or not _opening(card).is_whole


def card_url(proposal: ProposalId, web_url: str) -> str:
    return f"{web_url.rstrip('/')}/proposals/{proposal}"


def _card_named(words_for_it: str, proposal: ProposalId | None, web_url: str | None) -> Ours:
    if proposal is None or web_url is None:
        return Ours(words_for_it)
    return link(card_url(proposal, web_url), words_for_it)


def name(text: str) -> str:
    """Return a name that admins gave, on one line."""
    return inert(text, at_most=limits.NAME, lines=1).shown


def audience_line(card: Card) -> str:
    """Return who will see it, with how many that are."""
    return _opening(card).who


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    who: str
    effect: str
    target: str
    reversible: str
    is_whole: bool


def _opening(card: Card) -> _Opening:
    who = inert(card.audience.who, at_most=limits.WHO)
    effect = inert(card.effect, at_most=limits.EFFECT)
    target = inert(card.target, at_most=limits.TARGET)
    reversible = inert(card.reversible, at_most=limits.REVERSIBLE)
    count = card.audience.readers
    return _Opening(
        who=who.shown if count is None else f"{who.shown} ({readers(count)})",
        effect=effect.shown,
        target=target.shown,
        reversible=reversible.shown,
        is_whole=not any(text.missing for text in (who, effect, target, reversible)),
    )


def _blocks_of(card: Card, opening: _Opening) -> list[Element]:
    brief = [
        (mrkdwn(bold("Where")), plain(opening.target)),
        (mrkdwn(bold("Can it be undone?")), plain(opening.reversible)),
    ]
    if card.state is State.PENDING and card.expires_at is not None:
        brief.append((mrkdwn(bold("Decide before")), mrkdwn(date(card.expires_at))))
    asks = chat_words.asks(card, agent=name(card.agent_name), principal=name(card.on_behalf_of))
    return [
        header(chat_words.heading(card)),
        section(plain(opening.who)),
        context(plain(asks)),
        section(plain(opening.effect)),
        pairs(*brief),
    ]


def _result(card: Card) -> list[Element]:
    if card.state is State.PENDING:
        return []
    outcome = card.outcome
    since = mrkdwn(date(outcome.at if outcome else card.changed_at))
    around = [since]
    if outcome is not None and outcome.reference:
        reference = inert(outcome.reference, at_most=limits.REFERENCE).shown
        around += [mrkdwn(Ours("Reference")), plain(reference)]
    return [
        section(mrkdwn(bold("What happened"))),
        section(plain(inert(card.status, at_most=limits.STATUS).shown)),
        context(*around),
    ]


def _undo(card: Card, web_url: str | None) -> list[Element]:
    blocks: list[Element] = []
    undone = undo_label(card)
    if undone is not None:
        of_undo = _card_named("The card of the undo", card.undone_by, web_url)
        blocks.append(section(mrkdwn(Ours(f"{bold(undone)}. {of_undo} says how."))))
    if asks_for(card, Button.UNDO) and card.undo_until is not None:
        until = Ours(f"You can undo this until {date(card.undo_until)}.")
        press = button("Undo…", ActionId.UNDO, value=value_of(card))
        blocks.append(section(mrkdwn(until), accessory=press))
    if card.undoes is not None:
        before = _card_named("what was done before", card.undoes, web_url)
        blocks.append(context(mrkdwn(Ours(f"This takes back {before}."))))
    return blocks


def _warnings(card: Card) -> list[Element]:
    if not card.warnings:
        return []
    lines = "\n".join(f"• {warning}" for warning in card.warnings)
    return [section(mrkdwn(bold("Be careful"))), section(plain(lines))]


def _hints(card: Card, web_url: str | None) -> list[Element]:
    hints: list[Ours] = []
    if may_change_unseen(card):
        hints.append(Ours(NOT_PINNED))
    if card.successor_of is not None:
        earlier = _card_named("an earlier proposal", card.successor_of, web_url)
        hints.append(Ours(f"The target had changed, so this replaces {earlier}."))
    return [context(mrkdwn(hint)) for hint in hints]


def _claim(card: Card) -> list[Element]:
    if card.undoes is not None:
        return []
    said = card.rationale
    parts = [label(CLAIMED)]
    if said.why:
        parts += [remark("Why"), box(inert(said.why, at_most=limits.WHY).shown)]
    if said.expects:
        parts += [
            remark("What it expects"),
            box(inert(said.expects, at_most=limits.EXPECTS).shown),
        ]
    if said.read:
        parts.append(remark("What it says it read"))
        parts += [box(_source(source)) for source in said.read[: limits.SOURCES]]
    left = len(said.read) - limits.SOURCES
    if left > 0:
        parts.append(remark(f"and {left:,} more, in the full details"))
    if len(parts) == 1:
        parts.append(remark("It gave no reason."))
    return [rich(parts)]


def _source(source: Source) -> str:
    shown = inert(source.ref, at_most=limits.SOURCE).shown
    return shown if source.sha256 is None else f"{shown}\nsha256 {_sum(source.sha256)}"


def _sum(sha256: str) -> str:
    return inert(sha256.removeprefix("sha256:"), at_most=limits.SOURCE, lines=1).shown


def _people(card: Card) -> Element:
    agent = name(card.agent_name)
    purpose = inert(card.agent_purpose, at_most=limits.PURPOSE).shown
    decides = inert(rule(card), at_most=limits.RULE, lines=1).shown
    return pairs(
        (
            mrkdwn(bold("Who had done it" if card.undoes else "Agent")),
            plain(f"{agent}\n{purpose}" if card.agent_purpose else agent),
        ),
        (mrkdwn(bold("Who decides")), plain(decides)),
    )


def _buttons(card: Card, *, is_whole: bool) -> list[Element]:
    pressable: list[Element] = []
    may_approve = asks_for(card, Button.APPROVE) and is_whole
    must_read = needs_full_view(card) or (asks_for(card, Button.APPROVE) and not is_whole)
    if may_approve:
        pressable.append(approve(card))
    elif must_read:
        pressable.append(_full_details(card, style="primary"))
    if asks_for(card, Button.REJECT):
        pressable.append(_reject(card))
    if asks_for(card, Button.SETTLE_DONE):
        pressable.append(_button(card, "It happened…", ActionId.SETTLE_DONE))
    if asks_for(card, Button.SETTLE_NOT_DONE):
        pressable.append(_button(card, "It did not happen…", ActionId.SETTLE_NOT_DONE))
    if asks_for(card, Button.FULL_VIEW) and not must_read:
        pressable.append(_full_details(card))
    pressable += _more(card)
    blocks = [actions(*pressable)] if pressable else []
    if asks_for(card, Button.SETTLE_DONE) or asks_for(card, Button.SETTLE_NOT_DONE):
        look = "Keyturn will not repeat it by itself. Look at the target, then say what you found."
        blocks.insert(0, section(mrkdwn(Ours(look))))
    if must_read:
        blocks.append(context(plain(chat_words.READ_ON)))
    return blocks


def approve(card: Card) -> Element:
    """Return the button that approves *card*; it asks once more before it counts."""
    asks = confirm(
        title="Approve this?",
        text=f"{REACH[card.audience.reach]}. What the card shows is carried out, exactly so. "
        f"Fingerprint {card.fingerprint}",
        yes="Approve",
        no="Go back",
    )
    return button("Approve", ActionId.APPROVE, value=value_of(card), style="primary", asks=asks)


def _reject(card: Card) -> Element:
    return _button(card, "Reject…", ActionId.REJECT)


def _full_details(card: Card, *, style: str | None = None) -> Element:
    words_on_it = "Full details" if style is None else "Read the full details"
    return button(words_on_it, ActionId.FULL_VIEW, value=value_of(card), style=style)


def _button(card: Card, words_on_it: str, action: ActionId) -> Element:
    return button(words_on_it, action, value=value_of(card))


def _more(card: Card) -> list[Element]:
    value = value_of(card)
    options = []
    if asks_for(card, Button.STOP_AGENT):
        options.append(option("Stop this agent…", f"{More.STOP}:{value}"))
    if asks_for(card, Button.NOT_MINE):
        options.append(option("Not mine…", f"{More.NOT_MINE}:{value}"))
    return [overflow(ActionId.MORE, options)] if options else []


def _small_print(card: Card, web_url: str | None) -> Element:
    verb = inert(card.verb, at_most=limits.TECHNICAL, lines=1).shown
    connector = inert(card.connector, at_most=limits.TECHNICAL, lines=1).shown
    elements = [
        plain(f"Fingerprint {card.fingerprint}"),
        plain(f"{verb} ({KIND[card.kind]})"),
        plain(f"Connector {connector}"),
        mrkdwn(Ours(f"Proposed {date(card.created_at)}")),
    ]
    if card.state is State.APPROVED and card.use_by is not None:
        elements.append(mrkdwn(Ours(f"To be carried out before {date(card.use_by)}")))
    elements.append(plain(card.proposal))
    if web_url is not None:
        elements.append(mrkdwn(link(card_url(card.proposal, web_url), "Web inbox")))
    return context(*elements)

"""Cards with one text wherever somebody else can put some."""

from dataclasses import replace

from bot.core.card import Card, Field
from bot.core.proposal import Outcome, Rationale, Result, Source
from bot.core.untrusted import Untrusted
from bot.core.verbs import Audience, Reach
from bot.testing.proposals import NOW


def full_of(card: Card, text: str) -> Card:
    """Return *card* with *text* wherever an agent, a target, a person or an admin can put some."""
    outcome = card.outcome
    if outcome is not None:
        outcome = replace(outcome, reference=text, detail=text)
    return replace(
        card,
        effect=Untrusted(text),
        target=Untrusted(text),
        reversible=text,
        audience=Audience(reach=Reach.PUBLIC, who=text, readers=4),
        agent_name=text,
        agent_purpose=f"To {text}",
        on_behalf_of=text,
        verb=text,
        connector=text,
        status=text,
        outcome=outcome,
        warnings=(),
        rationale=Rationale(
            why=f"Why: {text}",
            expects=f"What: {text}",
            read=(Source(ref=text), Source(ref=text, sha256=text or "0")),
        ),
        fields=tuple(
            Field(
                path=Untrusted(f"/{number}{text}"),
                value=Untrusted(text),
                before=None if field.before is None else Untrusted(f"before {text}"),
            )
            for number, field in enumerate(card.fields)
        ),
    )


def an_outcome(result: Result = Result.SUCCEEDED) -> Outcome:
    return Outcome(result=result, reason="done", detail="So.", reference="c-1", at=NOW)

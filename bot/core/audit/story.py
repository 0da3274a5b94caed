"""One proposal's entries as a story: what it read, why, what was shown, who decided, what came."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bot.core.audit.words import SYSTEM_NAMES, what_of

#: Returns the name of the person or agent with an id; the id itself where nobody knows one.
NameOf = Callable[[str], str]

_ERASED: Final = "(not shown: left out, or erased)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry; ``facts`` are labels and what they label. Nothing in them is markup."""

    index: int
    at: str
    what: str
    who: str
    facts: Sequence[tuple[str, str]]


def story_of(entries: Sequence[Mapping[str, Any]], name_of: NameOf) -> Sequence[Step]:
    """Return what *entries*, each a body and its openings as in an export, tell in order."""
    return [_step(orjson.loads(entry["body"]), entry["openings"], name_of) for entry in entries]


def who_of(actor: str, name_of: NameOf) -> str:
    """Return who *actor* is, in words."""
    kind, _, id_ = actor.partition(":")
    return SYSTEM_NAMES.get(id_, "Keyturn") if kind == "system" else name_of(id_)


def _step(body: Mapping[str, Any], openings: Sequence[Mapping[str, Any]], name_of: NameOf) -> Step:
    opened = {opening["path"]: opening["value"] for opening in openings}
    tells = _TELLERS.get(body["type"], _told)
    return Step(
        index=body["i"],
        at=body["at"],
        what=what_of(body),
        who=who_of(body["actor"], name_of),
        facts=[(label, text) for label, text in tells(body, opened, name_of) if text],
    )


_Facts = Iterator[tuple[str, str]]


def _submitted(body: Mapping[str, Any], opened: Mapping[str, Any], name_of: NameOf) -> _Facts:
    yield "for", name_of(body["principal"])
    yield "verb", body["verb"]
    yield "action", opened.get("action", _ERASED)
    claims, seen = opened.get("claims"), opened.get("observed")
    if claims is None:
        yield "claims", _ERASED
    else:
        rationale = claims["rationale"]
        for source in rationale["read"]:
            yield "says it read", source["ref"]
        yield "says why", rationale["why"]
        yield "says it expects", rationale["expects"]
        yield "correlation", claims["correlation"] or ""
    if seen is None:
        yield "observed", _ERASED
    else:
        yield "effect", seen["effect"]
        yield "target", seen["target"]
        yield "who would see it", seen["facts"]["audience"]["who"]
        yield "can be undone", seen["reversible"]
        yield "before", _plain(seen["facts"]["before"])
    yield "rules", ", ".join(body["rules"])
    approval = body["approval"]
    if approval is not None:
        yield "needs", f"{approval['count']} of {', '.join(approval['approvers'])}"
    for label in ("supersedes", "successor_of", "undoes"):
        yield label.replace("_", " "), body.get(label) or ""
    yield "digest", body["digest"]


def _decided(body: Mapping[str, Any], opened: Mapping[str, Any], _: NameOf) -> _Facts:
    yield "reason", opened.get("reason", _ERASED)
    yield "decided on", body["digest"]
    yield "card", body["card_digest"]


def _posted(body: Mapping[str, Any], _: Mapping[str, Any], name_of: NameOf) -> _Facts:
    yield "to", name_of(body["to"])
    yield "card", body["card_digest"]


def _lost(body: Mapping[str, Any], _: Mapping[str, Any], name_of: NameOf) -> _Facts:
    yield "of", name_of(body["to"])


def _intended(body: Mapping[str, Any], _: Mapping[str, Any], name_of: NameOf) -> _Facts:
    yield "counted approvals of", ", ".join(map(name_of, body["approved_by"]))
    yield "attempt", str(body["attempt"])


def _told(body: Mapping[str, Any], opened: Mapping[str, Any], _: NameOf) -> _Facts:
    for label in ("why", "choice", "reason", "attempt", "superseded_by"):
        value = body.get(label)
        if type(value) in (str, int):
            yield label.replace("_", " "), str(value)
    for path, value in opened.items():
        yield path, _plain(value)
    yield from (
        (name, _ERASED)
        for name, value in body.items()
        if type(value) is dict and "commitment" in value and name not in opened
    )


def _plain(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


_TELLERS: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], NameOf], _Facts]]] = {
    "proposal.submitted": _submitted,
    "decision.approve": _decided,
    "decision.reject": _decided,
    "card.lost": _lost,
    "card.posted": _posted,
    "execution.intent": _intended,
}

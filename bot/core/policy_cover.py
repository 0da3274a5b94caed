"""Which globs, conditions and rules take in which others, as far as it can be proven."""

from collections.abc import Iterable
from itertools import product

from bot.core.policy import Allow, Deny, Hold, Rule, Verdict
from bot.core.policy_match import Condition, Globs


def covers(wide: str, narrow: str) -> bool:
    """Return whether it is proven that every text matching *narrow* matches *wide*.

    A star of *narrow* can only be taken in by a star, its question mark by either sign; some
    true covers are not found, such as ``?*`` of ``*?``.
    """
    reached = _past_stars(wide, {0})
    for char in narrow:
        step: set[int] = set()
        for at in reached:
            sign = wide[at] if at < len(wide) else ""
            if sign == "*":
                step.add(at)
            elif char != "*" and sign in ("?", char):
                step.add(at + 1)
        reached = _past_stars(wide, step)
    return len(wide) in reached


def overlaps(one: str, other: str) -> bool:
    """Return whether some text matches both globs."""
    seen = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        i, j = todo.pop()
        if i == len(one) and j == len(other):
            return True
        a, b = one[i : i + 1], other[j : j + 1]
        ahead: list[tuple[int, int]] = []
        if a == "*":
            ahead.append((i + 1, j))
        if b == "*":
            ahead.append((i, j + 1))
        if a and b and (a in "*?" or b in "*?" or a == b):
            ahead.append((i if a == "*" else i + 1, j if b == "*" else j + 1))
        todo += [pair for pair in ahead if pair not in seen]
        seen.update(ahead)
    return False


def globs_cover(wide: Globs, narrow: Globs) -> bool:
    return all(any(covers(w, n) for w in wide.globs) for n in narrow.globs)


def globs_overlap(one: Iterable[str], other: Iterable[str]) -> bool:
    return any(overlaps(a, b) for a, b in product(one, other))


def makes_useless(wide: Rule, narrow: Rule) -> bool:
    """Return whether it is proven that *narrow* changes no verdict while *wide* is there.

    *wide* matches whatever *narrow* matches, under some of its conditions, and its effect is as
    strict: a denial over anything, a hold over an allow or over the same hold. It releases to
    nobody to whom *narrow* does not.
    """
    match wide.effect, narrow.effect:
        case Deny(reason=told), Deny(reason=hidden):
            # The first denial in the file gives the reason.
            if told != hidden and wide.line >= narrow.line:
                return False
        case (Deny(), _) | (Hold(), Allow()) | (Allow(), Allow()):
            pass
        case Hold(approval=one), Hold(approval=other) if one == other:
            pass
        case _:
            return False
    if not set(_released(wide.effect)) <= set(_released(narrow.effect)):
        return False
    return (
        globs_cover(wide.agents, narrow.agents)
        and globs_cover(wide.verbs, narrow.verbs)
        and globs_cover(wide.resources, narrow.resources)
        and all(_among(condition, narrow.where) for condition in wide.where)
    )


def _released(effect: Verdict) -> tuple[str, ...]:
    return () if isinstance(effect, Deny) else effect.release


def _among(condition: Condition, others: Iterable[Condition]) -> bool:
    # Compared as spelled, since 1 == True in Python and not in a policy.
    return any(
        condition.path == other.path
        and condition.operator is other.operator
        and repr(condition.operand) == repr(other.operand)
        for other in others
    )


def _past_stars(glob: str, places: set[int]) -> set[int]:
    reached = set(places)
    for at in places:
        end = at
        while end < len(glob) and glob[end] == "*":
            end += 1
            reached.add(end)
    return reached

"""The tables of docs/explanation/states.md, made from the code.

`python -m tests.contract.states_table` writes them anew.
"""

from pathlib import Path

from bot.core.states import TERMINAL, TRANSITIONS, ActorKind, State
from bot.core.status import WORDING

PAGE = Path(__file__).resolve().parents[2] / "docs/explanation/states.md"

_ACTORS = {
    ActorKind.AGENT: "the agent",
    ActorKind.PERSON: "a person",
    ActorKind.SYSTEM: "Keyturn itself",
    ActorKind.RESOURCE: "a resource server",
}


def transitions_table() -> str:
    rows = [
        (f"`{state}`", f"`{event}`", _who(way.actors), f"`{way.to}`")
        for state, ways in TRANSITIONS.items()
        for event, way in ways.items()
    ]
    return _table(("from", "event", "who may cause it", "to"), rows)


def states_table() -> str:
    rows = [
        (f"`{state}`", "yes" if state in TERMINAL else "no", WORDING[state].for_people)
        for state in State
    ]
    return _table(("state", "final", "what people are told"), rows)


TABLES = {"transitions": transitions_table, "states": states_table}


def with_tables(page: str) -> str:
    """Return *page* with every table between its marks replaced by the one of the code."""
    for name, table in TABLES.items():
        begin, end = f"<!-- table: {name} -->\n", f"<!-- end: {name} -->"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"{PAGE.name} has no place for the table {name}")
        page = f"{before}{begin}\n{table()}\n{end}{after}"
    return page


def _who(actors: frozenset[ActorKind]) -> str:
    return ", ".join(_ACTORS[actor] for actor in ActorKind if actor in actors)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

"""What the table of known failures has to hold: every numbered item, each exactly once."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "A": "Lost, doubled and stale approvals",
        "B": "Who may approve",
        "C": "Seeing what one approves",
        "E": "The agent's side",
        "F": "What is carried out",
        "T": "The twelve tests that users would write first",
        "P": "What other gates were found to do",
        "N": "Incidents, and what else was found on the way",
    }
)

_NUMBERED = {"A": 7, "B": 6, "C": 4, "E": 4, "F": 5, "T": 12, "N": 6}

#: For each gate that was looked at, what kind it is and how many failures of it are told apart.
GATES: tuple[tuple[str, int], ...] = (
    ("an HTTP approval server", 12),
    ("a human-task server", 5),
    ("an approval SDK", 4),
    ("a guard for tool calls", 3),
    ("a phone approver", 3),
    ("an agent governance toolkit", 9),
    ("an approval queue for agents", 7),
    ("a client of a hosted approval service", 2),
    ("a proxy with a Slack approver", 2),
    ("an access gateway", 6),
    ("an agent control plane", 6),
    ("an MCP server for permissions", 1),
    ("an approval middleware", 3),
    ("an MCP server with Slack and Teams", 2),
    ("chats, as their users tell it", 9),
)


def items() -> Iterator[str]:
    """Yield the id of every item, in the order of the table."""
    for group in GROUPS:
        if group == "P":
            for number, (_, count) in enumerate(GATES, start=1):
                yield from (f"P{number}{chr(ord('a') + n)}" for n in range(count))
        else:
            yield from (f"{group}{number}" for number in range(1, _NUMBERED[group] + 1))

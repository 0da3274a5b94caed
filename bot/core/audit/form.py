"""The form of entries alone: how they are spelled, and what their openings open.

Nothing here depends on the entries before, so that it may be done beside the rest.
"""

from collections.abc import Iterable

from bot.core.audit.entry import EntryReader, body_of
from bot.core.audit.lines import parts_of
from bot.core.audit.problems import Fault, Problems


class FormAudit:
    """Reads every line of one export; ``problems`` and ``opened`` are what was found."""

    def __init__(self) -> None:
        self.problems = Problems()
        self._entries = EntryReader(self.problems)

    @property
    def opened(self) -> int:
        return self._entries.opened

    def read(self, lines: Iterable[bytes]) -> None:
        """Read all *lines* behind the header.

        Raises:
            NotReadable: one of them is no entry of an export.
        """
        for index, line in enumerate(lines):
            self._entry(index, line)

    def _entry(self, index: int, line: bytes) -> None:
        raw, openings = parts_of(line, index)
        body = body_of(raw)
        if body is None:
            return  # whoever reads the rest says so
        self._entries.check_spelling(index, raw, body)
        if not openings:
            return
        try:
            opened = self._entries.open(index, body, openings)
            if body["type"] == "proposal.submitted":
                self._entries.check_action(index, opened)
        except (KeyError, TypeError, ValueError, AttributeError):
            what = "has openings of another form"
            self.problems.add(index, Fault.NOT_AN_ENTRY, what)

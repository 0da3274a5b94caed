"""A person reads the whole action in a browser: by a link for them alone, once and not for long."""

import json
from datetime import timedelta
from typing import Final

from bot.core.errors import NotAuthenticated
from bot.core.ids import PersonId, ProposalId
from bot.core.tokens import TOKEN_ENTROPY_BYTES, TokenKind, spell_token, token_hash, token_kind
from bot.ports.desk import Viewing, ViewLink
from bot.service.gate import Gate
from bot.service.visible import visible

LINK_TTL_S: Final = 600
_SHELF_KIND: Final = "view_link"


class ViewLinks:
    """A link lets its holder read. That they did is recorded apart, when they reach the end."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def link(self, person: PersonId, proposal: ProposalId, *, chat: str) -> ViewLink:
        """Return a new link to the full view of *proposal*; it is shown this once.

        Raises:
            NotFound: there is no such proposal, or it does not concern *person*.
        """
        gate = self._gate
        await visible(gate, person, proposal)
        code = spell_token(TokenKind.VIEW, gate.entropy(TOKEN_ENTROPY_BYTES))
        value = json.dumps({"person": person, "proposal": proposal, "chat": chat}).encode()
        await gate.shelf.put(_SHELF_KIND, token_hash(code), value, ttl_s=LINK_TTL_S)
        return ViewLink(
            url_path=f"/view/{code}",
            expires_at=gate.clock.now() + timedelta(seconds=LINK_TTL_S),
        )

    async def open(self, code: str) -> Viewing:
        """Return what the link with *code* opens; the same code never works again.

        Raises:
            NotAuthenticated: unknown, used or too old, or its person is no longer active.
            NotFound: it does not concern that person any more.
        """
        taken = None
        if token_kind(code) is TokenKind.VIEW:
            taken = await self._gate.shelf.take(_SHELF_KIND, token_hash(code))
        if taken is None:
            raise NotAuthenticated(
                "This link has been used, its time is over, or it was cut.",
                remedy="Open the full view from the card in the chat again: it makes a new link.",
            )
        kept = json.loads(taken.value)
        viewing = Viewing(
            person=PersonId(kept["person"]),
            proposal=ProposalId(kept["proposal"]),
            chat=kept["chat"],
        )
        await visible(self._gate, viewing.person, viewing.proposal)
        return viewing

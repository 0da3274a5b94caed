"""What the tests about undo share."""

from bot.core.proposal import Proposal
from bot.core.states import State
from tests.service.office import Office

ONLY_WRITE = """
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {hold: {mode: confirm, expires: 30m, use_by: 15m}}
  - id: never
    verbs: [note.erase]
    effect: {deny: "Nothing is erased by an agent."}
"""


async def done(office: Office, *, key: str = "k1") -> Proposal:
    proposal = await office.propose(key=key)
    await office.press(proposal)
    return await office.until(proposal.id, State.SUCCEEDED)


async def undone(office: Office, original: Proposal) -> Proposal:
    """Return the undo of *original* when it is over."""
    marked = await office.now(original.id)
    assert marked.undone_by is not None
    return await office.until(marked.undone_by)


def verbs(office: Office) -> list[str]:
    return [
        "erase" if b"note.erase" in note.action else "write" for note in office.notebook.written
    ]

"""One log in which proposals end in every way they can, made by the real services on SQLite."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.core.actors import OPERATOR
from bot.core.card import Button
from bot.core.effects import EffectKind
from bot.core.errors import Halted
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import ProposalId
from bot.core.leaf import Leaf
from bot.core.proposal import Action
from bot.core.states import State
from bot.ports.clock import Clock
from bot.ports.connector import STALE, Failed, InDoubt
from bot.ports.queries import Leaves
from bot.ports.store import Store
from bot.service.deliver import Deliver
from bot.service.execute import Execute
from bot.testing.notebook import Notebook
from store.sqlite import SqliteStore
from tests.service.office import ALLOW, DENY, FOUR_EYES, HOLD, Office, open_office


@dataclass(frozen=True)
class Lives:
    """The log, and the proposals in it by how they ended."""

    leaves: Sequence[Leaf]
    named: dict[str, ProposalId]
    dana: str


async def live(folder: Path) -> Lives:
    async def on_disk(clock: Clock) -> Store:
        return await SqliteStore.open(folder / "log.sqlite3", clock=clock)

    verb = replace(Notebook().verb, can_look_up=False, inspects=True, idempotent=True)
    notebook = Notebook(verb=verb)
    async with open_office(notebook=notebook, make_store=on_disk, with_workers=False) as office:
        named = {
            "succeeded": await _succeeded(office),
            "rejected": await _rejected(office),
            "withdrawn": await _withdrawn(office),
            "superseded": await _superseded(office),
            "settled": await _settled(office),
            "stale": await _stale(office),
            "taken over": await _taken_over(office),
            "expired": await _expired(office),
            "revoked": await _revoked(office),
            "four eyes": await _four_eyes(office),
            "allowed": await _under(office, ALLOW, "allowed"),
            "denied": await _under(office, DENY, "denied"),
        }
        leaves = await office.store.read(Leaves(limit=10_000))
        return Lives(leaves, named, office.dana.id)


async def _carry_out(office: Office) -> None:
    for lease in await office.gate.dispatch.take(EffectKind.EXECUTE, limit=9):
        await Execute(office.gate).execute(lease)


async def _deliver(office: Office) -> None:
    leases = await office.gate.dispatch.take(EffectKind.DELIVER, limit=99)
    await Deliver(office.gate).deliver(leases)


async def _succeeded(office: Office) -> ProposalId:
    proposal = await office.propose("Ça va, 世界 🙂", key="succeeded")
    await _deliver(office)
    await office.desk.viewed(office.dana.id, proposal.id, chat=office.chat.name)
    await office.press(proposal, digest_prefix="f" * 16)
    await office.press(proposal, note="Looks right")
    await _carry_out(office)
    return proposal.id


async def _rejected(office: Office) -> ProposalId:
    proposal = await office.propose(key="rejected")
    await _deliver(office)
    await office.press(proposal, Button.REJECT, note="Not like this")
    return proposal.id


async def _withdrawn(office: Office) -> ProposalId:
    proposal = await office.propose(key="withdrawn")
    await office.withdraw.withdraw(office.agent, proposal.id, reason="No longer needed")
    return proposal.id


async def _superseded(office: Office) -> ProposalId:
    proposal = await office.propose(key="superseded")
    newer = await office.propose("better", key="superseding", supersedes=proposal.id)
    await office.press(newer, Button.REJECT)
    return proposal.id


async def _settled(office: Office) -> ProposalId:
    async def lose(_: Action) -> InDoubt:
        return InDoubt(reason="timeout", detail="No answer.")

    office.notebook.behave = lose
    proposal = await office.propose(key="settled")
    await office.press(proposal)
    await _carry_out(office)
    office.notebook.behave = None
    await office.press(proposal, Button.SETTLE_DONE, note="I see it there")
    return proposal.id


async def _stale(office: Office) -> ProposalId:
    async def drift(_: Action) -> Failed:
        office.notebook.facts = replace(office.notebook.facts, etag="v2")
        return Failed(reason=STALE, detail="It has changed.")

    proposal = await office.propose(key="stale")
    await office.press(proposal)
    office.notebook.behave = drift
    await _carry_out(office)
    office.notebook.behave = None
    return proposal.id


async def _taken_over(office: Office) -> ProposalId:
    """Carried out a second time under the same key, after which the first report comes late."""
    proposal = await office.propose(key="taken over")
    await office.press(proposal)
    (lost,) = await office.gate.dispatch.take(EffectKind.EXECUTE, limit=9)
    await office.claim(lost)
    office.clock.advance(61)
    (taken,) = await office.store.lease([EffectKind.EXECUTE], limit=9, for_s=60)
    await Execute(office.gate).execute(taken)
    return proposal.id


async def _expired(office: Office) -> ProposalId:
    proposal = await office.propose(key="expired")
    office.clock.advance(31 * 60)
    await office.expire()
    return proposal.id


async def _revoked(office: Office) -> ProposalId:
    proposal = await office.propose(key="revoked")
    target = HaltTarget(scope=HaltScope.AGENT, agent=office.agent.id)
    halt = await office.halts.halt(OPERATOR, target, reason="Something is odd")
    office.clock.advance(31 * 60)
    await office.expire()
    try:
        await office.propose(key="while halted")
    except Halted:
        await office.halts.resume(OPERATOR, halt.id, reason="It was nothing")
    return proposal.id


async def _four_eyes(office: Office) -> ProposalId:
    await office.gate.policies.activate(FOUR_EYES, actor=OPERATOR)
    eve, fred = await office.person("eve"), await office.person("fred")
    office.groups.members_of["security"] = frozenset({eve.id, fred.id})
    proposal = await office.propose(key="four eyes")
    await _deliver(office)
    await office.press(proposal, by=eve.id)
    await office.press(proposal, by=office.dana.id)
    await office.press(proposal, by=fred.id)
    await _carry_out(office)
    assert (await office.now(proposal.id)).state is State.SUCCEEDED
    return proposal.id


async def _under(office: Office, policy: str, key: str) -> ProposalId:
    await office.gate.policies.activate(policy, actor=OPERATOR)
    proposal = await office.propose(key=key)
    if proposal.state is State.APPROVED:
        await _carry_out(office)
    await office.gate.policies.activate(HOLD, actor=OPERATOR)
    return proposal.id

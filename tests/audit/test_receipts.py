"""Receipts stand alone: true ones verify, and a changed one says what is wrong with it."""

import copy
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest

from bot.core.actors import OPERATOR
from bot.core.audit.export import NotReadable
from bot.core.audit.problems import Fault
from bot.core.audit.receipts import verify_receipt
from bot.core.audit.verify import Known, Report, Verdict
from bot.core.card import Button
from bot.core.errors import NotFound
from bot.core.ids import ProposalId
from bot.core.signed_note import NoteKey
from bot.service.receipts import Receipts
from tests.audit.logs import new_signer
from tests.service.office import Office, open_office


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with open_office() as opened:
        yield opened


@pytest.fixture
async def receipt(office: Office) -> dict[str, Any]:
    """That of an action that was approved and carried out, as its agent gets it."""
    proposal = await office.propose("hello")
    await office.until_delivered(proposal.id)
    await office.press(proposal, note="Only for the people at work")
    await office.until(proposal.id)
    receipts = Receipts(office.store, office.checkpoints)
    value: dict[str, Any] = orjson.loads(
        orjson.dumps(await receipts.for_agent(office.agent, proposal.id))
    )
    return value


def check(value: dict[str, Any], **known: Any) -> Report:
    return verify_receipt(value, Known(**known))


async def test_a_receipt_verifies_with_the_key_of_the_log(
    office: Office, receipt: dict[str, Any]
) -> None:
    report = check(receipt, keys=office.checkpoints.keys)

    assert report.problems == ()
    assert report.verdict is Verdict.VERIFIED
    assert receipt["state"] == "succeeded"
    types = [json.loads(entry["body"])["type"] for entry in receipt["entries"]]
    assert types == [
        "proposal.submitted",
        "card.posted",
        "decision.approve",
        "execution.intent",
        "execution.outcome",
    ]


def test_without_a_key_it_is_only_consistent(receipt: dict[str, Any]) -> None:
    assert check(receipt).verdict is Verdict.UNANCHORED


async def test_a_receipt_agrees_with_a_checkpoint_of_its_size(
    office: Office, receipt: dict[str, Any]
) -> None:
    signed = office.checkpoints.latest

    report = check(receipt, checkpoints=[(signed.checkpoint, signed.note)])

    assert (report.verdict, report.agreed) == (Verdict.VERIFIED, (signed.checkpoint.size,))


def test_the_key_of_another_log_did_not_sign_it(receipt: dict[str, Any]) -> None:
    report = check(receipt, keys=[new_signer().key])

    assert report.verdict is Verdict.DIVERGED


async def test_to_agents_people_are_ids_and_what_is_for_people_stays_with_them(
    office: Office, receipt: dict[str, Any]
) -> None:
    text = json.dumps(receipt)

    assert "Dana" not in text
    assert "Only for the people at work" not in text
    assert "Everybody at work" not in text, "what was observed is for people"
    assert office.dana.id in text
    assert "The note was written." in text


async def test_to_people_everything_is_shown(office: Office, receipt: dict[str, Any]) -> None:
    whole = json.loads(await office.desk.receipt(office.dana.id, receipt["proposal"]))

    assert "Only for the people at work" in json.dumps(whole)
    assert "Everybody at work" in json.dumps(whole)
    assert check(whole, keys=office.checkpoints.keys).verdict is Verdict.VERIFIED


async def test_nobody_gets_the_receipt_of_others(office: Office, receipt: dict[str, Any]) -> None:
    receipts = Receipts(office.store, office.checkpoints)
    stranger = await office.person("stranger")
    other, _ = await office.agents.create(
        OPERATOR,
        name="other",
        owner=office.dana.id,
        purpose="Something else",
        principals=[office.dana.id],
        verbs=["note.*"],
    )

    with pytest.raises(NotFound):
        await receipts.for_agent(other, receipt["proposal"])
    with pytest.raises(NotFound):
        await receipts.for_agent(office.agent, ProposalId("prp_" + "0" * 26))
    with pytest.raises(NotFound):
        await office.desk.receipt(stranger.id, receipt["proposal"])


async def test_a_receipt_can_be_had_before_the_end(office: Office) -> None:
    proposal = await office.propose(key="early")
    receipts = Receipts(office.store, office.checkpoints)

    value = await receipts.for_agent(office.agent, proposal.id)

    assert value["state"] == "pending"
    assert check(value, keys=office.checkpoints.keys).verdict is Verdict.VERIFIED


async def test_the_reason_of_a_rejection_is_for_the_agent_too(office: Office) -> None:
    proposal = await office.propose(key="no")
    await office.press(proposal, Button.REJECT, note="Not like this")

    value = await Receipts(office.store, office.checkpoints).for_agent(office.agent, proposal.id)

    assert "Not like this" in json.dumps(value)


async def test_proofs_hold_in_a_log_of_many_tiles(office: Office, receipt: dict[str, Any]) -> None:
    for n in range(700):
        await office.people.create(OPERATOR, handle=f"p{n}", display_name="P", roles=[])
    receipts = Receipts(office.store, office.checkpoints)

    later = await receipts.for_agent(office.agent, receipt["proposal"])

    assert later["checkpoint"] != receipt["checkpoint"]
    assert check(later, keys=office.checkpoints.keys).verdict is Verdict.VERIFIED


def _entry(receipt: dict[str, Any], type_: str) -> dict[str, Any]:
    entry: dict[str, Any] = next(
        e for e in receipt["entries"] if json.loads(e["body"])["type"] == type_
    )
    return entry


def _change_the_body(receipt: dict[str, Any]) -> None:
    entry = _entry(receipt, "execution.outcome")
    entry["body"] = entry["body"].replace("succeeded", "failed")


def _leave_out_the_approval(receipt: dict[str, Any]) -> None:
    receipt["entries"].remove(_entry(receipt, "decision.approve"))


def _leave_out_the_intent(receipt: dict[str, Any]) -> None:
    receipt["entries"].remove(_entry(receipt, "execution.intent"))


def _leave_out_the_beginning(receipt: dict[str, Any]) -> None:
    receipt["entries"].remove(_entry(receipt, "proposal.submitted"))


def _break_the_proof(receipt: dict[str, Any]) -> None:
    receipt["entries"][0]["proof"].pop()


def _show_another_text(receipt: dict[str, Any]) -> None:
    (opening,) = [o for o in receipt["entries"][0]["openings"] if o["path"] == "action"]
    opening["value"] = opening["value"].replace("hello", "help!")


def _say_it_ended_otherwise(receipt: dict[str, Any]) -> None:
    receipt["state"] = "rejected"


def _sign_it_with_another_key(receipt: dict[str, Any]) -> None:
    name = NoteKey.parse(receipt["keys"][0]).name
    other = new_signer().key
    receipt["keys"] = [str(NoteKey(name, other.algorithm, other.public))]


def _swap_two_entries(receipt: dict[str, Any]) -> None:
    entries = receipt["entries"]
    entries[1], entries[2] = entries[2], entries[1]


def _take_anothers(receipt: dict[str, Any]) -> None:
    receipt["proposal"] = "prp_" + "0" * 26


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (_change_the_body, Fault.BAD_PROOF),
        (_leave_out_the_approval, Fault.INTENT_WITHOUT_APPROVAL),
        (_leave_out_the_intent, Fault.OUTCOME_WITHOUT_INTENT),
        (_leave_out_the_beginning, Fault.UNKNOWN_PROPOSAL),
        (_break_the_proof, Fault.BAD_PROOF),
        (_show_another_text, Fault.BAD_COMMITMENT),
        (_say_it_ended_otherwise, Fault.IMPOSSIBLE_STEP),
        (_sign_it_with_another_key, Fault.BAD_SIGNATURE),
        (_swap_two_entries, Fault.TIME_WENT_BACK),
        (_take_anothers, Fault.NOT_AN_ENTRY),
    ],
)
def test_a_changed_receipt_says_what_is_wrong(
    receipt: dict[str, Any], tamper: Callable[[dict[str, Any]], None], fault: Fault
) -> None:
    changed = copy.deepcopy(receipt)
    tamper(changed)

    report = check(changed)

    assert report.verdict is Verdict.INVALID
    assert fault in report.counts


@pytest.mark.parametrize("name", ["keys", "checkpoint", "entries", "proposal", "state"])
def test_a_receipt_without_a_part_cannot_be_read(receipt: dict[str, Any], name: str) -> None:
    del receipt[name]

    with pytest.raises(NotReadable):
        check(receipt)


def test_a_receipt_of_a_newer_version_cannot_be_read(receipt: dict[str, Any]) -> None:
    with pytest.raises(NotReadable, match="format version 2"):
        check({**receipt, "version": 2})

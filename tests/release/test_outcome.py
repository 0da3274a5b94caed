"""What came of a redeemed grant: claimed, doubted, settled."""

from bot.core.actors import OPERATOR
from bot.core.card import Button
from bot.core.ids import ProposalId
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.status import status_line
from tests.release.counter import AUDIENCE, Counter


async def redeemed(counter: Counter) -> Proposal:
    proposal, grant = await counter.granted()
    assert (await counter.redeem(grant, proposal)).status == 200
    return proposal


async def in_doubt(counter: Counter) -> Proposal:
    proposal = await redeemed(counter)
    counter.served.office.clock.advance(61)
    return await counter.served.office.until(proposal.id, State.IN_DOUBT)


async def test_the_resource_server_says_that_it_was_done(counter: Counter) -> None:
    proposal = await redeemed(counter)

    said = await counter.report(proposal.id, "succeeded", detail="Paid.", reference="tx-1")

    assert (said.status, said.body["state"]) == (200, "succeeded")
    assert said.body["outcome"]["claimed_by"] == "resource"
    assert said.body["outcome"]["reference"] == "tx-1"
    found = await counter.served.office.now(proposal.id)
    assert "The resource server says that it was done." in status_line(found)
    assert "Keyturn did not do this itself." in status_line(found)


async def test_the_agent_says_that_it_was_done(counter: Counter) -> None:
    proposal = await redeemed(counter)

    said = await counter.report(proposal.id, "succeeded", token=counter.served.office.token)

    assert said.body["state"] == "succeeded"
    assert said.body["outcome"]["claimed_by"] == "agent"


async def test_only_the_resource_server_can_say_that_nothing_happened(counter: Counter) -> None:
    proposal = await redeemed(counter)

    by_agent = await counter.report(proposal.id, "failed", token=counter.served.office.token)
    by_server = await counter.report(proposal.id, "failed", detail="No funds.")

    assert (by_agent.status, by_agent.code) == (403, "not_permitted")
    assert by_server.body["state"] == "failed"
    assert "No funds." in by_server.body["outcome"]["detail"]


async def test_another_server_and_another_agent_cannot_report(counter: Counter) -> None:
    proposal = await redeemed(counter)
    other = await counter.another_server("other-till", AUDIENCE)

    assert (await counter.report(proposal.id, "succeeded", token=other)).code == "not_found"


async def test_before_it_is_redeemed_there_is_nothing_to_report(counter: Counter) -> None:
    proposal, _ = await counter.granted()

    early = await counter.report(proposal.id, "succeeded", token=counter.served.office.token)

    assert (early.status, early.code) == (409, "illegal_transition")
    assert (await counter.served.office.now(proposal.id)).state is State.RELEASED


async def test_the_same_report_again_changes_nothing(counter: Counter) -> None:
    proposal = await redeemed(counter)
    first = await counter.report(proposal.id, "succeeded")
    leaves = await counter.served.office.leaf_types(proposal.id)

    again = await counter.report(proposal.id, "succeeded")

    assert again.raw == first.raw
    assert await counter.served.office.leaf_types(proposal.id) == leaves


async def test_what_contradicts_an_outcome_is_noted_and_changes_nothing(counter: Counter) -> None:
    proposal = await redeemed(counter)
    await counter.report(proposal.id, "succeeded", token=counter.served.office.token)

    late = await counter.report(proposal.id, "failed")

    assert late.body["state"] == "succeeded"
    assert (await counter.served.office.leaf_types(proposal.id))[-1] == "grant.late_report"


async def test_without_a_report_it_is_in_doubt(counter: Counter) -> None:
    doubtful = await in_doubt(counter)

    assert doubtful.outcome is not None
    assert doubtful.outcome.reason == "not_reported"


async def test_a_late_report_of_the_resource_server_ends_the_doubt(counter: Counter) -> None:
    doubtful = await in_doubt(counter)

    late = await counter.report(doubtful.id, "failed")

    assert late.body["state"] == "failed"


async def test_a_late_claim_of_the_agent_does_not_end_the_doubt(counter: Counter) -> None:
    doubtful = await in_doubt(counter)

    late = await counter.report(doubtful.id, "succeeded", token=counter.served.office.token)

    assert (late.status, late.body["state"]) == (202, "in_doubt")
    assert (await counter.served.office.leaf_types(doubtful.id))[-1] == "grant.late_report"


async def test_a_person_settles_the_doubt(counter: Counter) -> None:
    doubtful = await in_doubt(counter)

    await counter.served.office.press(doubtful, Button.SETTLE_DONE, note="I saw it.")

    found = await counter.served.office.now(doubtful.id)
    assert found.state is State.SUCCEEDED
    assert found.outcome is not None
    assert found.outcome.settled_by == counter.served.office.dana.id


async def test_what_is_reported_is_shown_as_inert_text(counter: Counter) -> None:
    proposal = await redeemed(counter)

    said = await counter.report(proposal.id, "succeeded", detail="ok\u202eevil\nApproved by Dana")

    assert "\u202e" not in said.body["outcome"]["detail"]
    assert "\n" not in said.body["outcome"]["detail"]


async def test_a_report_about_nothing_is_not_found(counter: Counter) -> None:
    nothing = ProposalId("prp_" + "0" * 26)

    assert (await counter.report(nothing, "succeeded")).code == "not_found"


async def test_a_halt_does_not_touch_what_was_redeemed(counter: Counter) -> None:
    proposal = await redeemed(counter)
    await counter.served.office.agents.revoke(
        OPERATOR, counter.served.office.agent.id, reason="Gone."
    )

    said = await counter.report(proposal.id, "succeeded")

    assert said.body["state"] == "succeeded"

"""Faults in clicks, in asking and in deciding."""

from typing import Final

from tests.regressions.plants.fault import Edit, a_fault
from tests.regressions.plants.places import (
    ANY_PROOF,
    APPROVAL,
    CARD,
    HERE,
    HTTP,
    SENDS,
    TRANSITIONS,
    reopened,
)

FAULTS: Final = (
    # Clicks.
    a_fault(
        "silent-click",
        f"{HERE}clicks.py::test_no_click_is_answered_by_nothing",
        "refused clicks answered by nothing",
        Edit(
            "adapters/web/flash.py",
            "return Flash(tone=Tone.REFUSED, text=message)",
            'return Flash(tone=Tone.REFUSED, text=message and "")',
        ),
    ),
    a_fault(
        "sends-twice",
        f"{HERE}clicks.py::test_a_second_click_does_not_execute_again",
        "a connector that sends twice to be sure",
        Edit(HTTP, f"exchange = {SENDS}", f"{SENDS}\n        exchange = {SENDS}"),
    ),
    a_fault(
        "buttons-stay",
        f"{HERE}clicks.py::test_an_old_page_can_change_nothing_any_more",
        "buttons that stay on cards that have ended",
        Edit(
            CARD,
            "if proposal.state is State.PENDING and may_decide:\n        buttons += [",
            "if may_decide:\n        buttons += [",
        ),
        Edit(
            "bot/core",
            "return card.state is State.PENDING and not card.approve_needs_full_view",
            "return not card.approve_needs_full_view",
        ),
    ),
    a_fault(
        "page-untold",
        f"{HERE}browser.py::test_an_open_page_loses_its_buttons_by_itself",
        "an open page that nobody tells",
        Edit("adapters/web/live.py", "if seen.version == known:", "if seen.version:"),
    ),
    a_fault(
        "withdrawn-and-done",
        f"{HERE}clicks.py::test_nothing_is_both_withdrawn_and_done",
        "approvals that count after it was taken back",
        *reopened("WITHDRAWN"),
    ),
    a_fault(
        "flips",
        f"{HERE}clicks.py::test_a_rejection_stays_a_rejection",
        "rejections that a later click undoes",
        *reopened("REJECTED"),
    ),
    a_fault(
        "stop-of-one",
        f"{HERE}clicks.py::test_stopping_an_agent_ends_what_it_waits_for_and_what_it_tries_next",
        "a stop that lets new proposals in",
        Edit(
            "bot/core/halts.py",
            '    """Return an active halt that refuses new work, if there is one."""\n',
            '    """Return an active halt that refuses new work, if there is one."""\n'
            "    halts = ()\n",
        ),
    ),
    a_fault(
        "stop-forgets-what-waits",
        f"{HERE}clicks.py::test_stopping_an_agent_ends_what_it_waits_for_and_what_it_tries_next",
        "a stop that forgets what waits",
        Edit(
            "bot/core/halts.py",
            "is_in_time = halt.is_active or proposal.created_at <= halt.set_at",
            "is_in_time = proposal.created_at > halt.set_at",
        ),
    ),
    a_fault(
        "nobody-wakes",
        f"{HERE}clicks.py::test_an_agent_that_waits_hears_the_word_at_once",
        "waiting agents that nobody wakes",
        Edit(
            "bot/service",
            "for future in self._waiting.get(proposal, ()):",
            "for future in list(self._waiting.get(proposal, ()))[:0]:",
        ),
    ),
    # Asking.
    a_fault(
        "nobody-is-everybody",
        f"{HERE}asking.py::test_a_list_of_nobody_reaches_nobody_and_says_so",
        "an empty list of approvers that falls back to the principal",
        Edit(
            APPROVAL,
            "return frozenset(approvers - excluded)",
            "return frozenset((approvers or {stakes.principal}) - excluded)",
        ),
    ),
    a_fault(
        "undeliverable-unsaid",
        f"{HERE}asking.py::test_a_list_of_nobody_reaches_nobody_and_says_so",
        "nobody told that nobody could be asked",
        Edit(
            "bot/service",
            'undeliverable = "; ".join(failed) or "Nobody may decide about it."',
            'undeliverable = "; ".join(failed) or None',
        ),
    ),
    a_fault(
        "key-ignored",
        f"{HERE}asking.py::test_a_repeated_submit_is_one_proposal_and_one_card",
        "a key that is not looked at",
        Edit(
            "bot/service",
            "            idempotency_key=request.idempotency_key,\n"
            "            request_digest=request.request_digest,\n"
            "            expires_in_s=expires_in_s,",
            "            idempotency_key=request.idempotency_key[:200] + entropy.hex()[:40],\n"
            "            request_digest=request.request_digest,\n"
            "            expires_in_s=expires_in_s,",
        ),
        Edit(
            "bot/service",
            "if earlier is not None:\n                return _replayed",
            "if earlier is not None and not verb.inspects:\n                return _replayed",
        ),
    ),
    a_fault(
        "key-without-body",
        f"{HERE}asking.py::test_an_approval_cannot_be_had_again_for_another_body",
        "a key that brings back the old approval for another body",
        Edit(
            TRANSITIONS,
            "if earlier.request_digest != request_digest:",
            "if not earlier.request_digest:",
        ),
    ),
    a_fault(
        "anybodys-agent",
        f"{HERE}asking.py::test_a_card_reaches_the_bound_person_and_nobody_else",
        "an agent that may name any principal",
        Edit(
            "bot/service",
            "        if asked not in agent.principals:",
            "        if not agent.principals:",
        ),
        Edit(
            TRANSITIONS,
            "    if draft.principal not in agent.principals:",
            "    if not agent.principals:",
        ),
    ),
    a_fault(
        "fields-ignored",
        f"{HERE}asking.py::test_a_proposal_cannot_name_its_approvers",
        "unknown fields that are taken and ignored",
        Edit(
            "bot/http/bodies.py",
            'ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)',
            'ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)',
        ),
    ),
    # Deciders.
    a_fault(
        "anybody-decides",
        f"{HERE}deciders.py::test_only_the_person_who_was_asked_decides",
        "clicks of anybody",
        Edit(TRANSITIONS, "    if vote.person not in among:\n", "    if not among:\n"),
    ),
    a_fault(
        "namesakes",
        f"{HERE}deciders.py::test_a_namesake_is_somebody_else",
        "people told apart by their names",
        Edit(
            "bot/service",
            "    if reader.id not in concerned and ",
            "    named = await gate.store.read(PersonById(found.principal))\n"
            "    is_namesake = named is not None and named.display_name == reader.display_name\n"
            "    if not is_namesake and reader.id not in concerned and ",
        ),
    ),
    a_fault(
        "agents-administer",
        f"{HERE}deciders.py::test_an_agent_with_everything_it_has_decides_nothing",
        "an agent's token at the admin interface",
        Edit(
            "bot/http/auth.py",
            "        if self._trust_socket and hdrs.AUTHORIZATION not in request.headers:",
            '        if self._trust_socket or "kta_" in request.headers.get("Authorization", ""):',
        ),
    ),
    a_fault(
        "any-proof",
        f"{HERE}deciders.py::test_a_link_decides_nothing_and_a_captured_form_is_worth_nothing",
        "a form that counts in any session",
        ANY_PROOF,
    ),
    a_fault(
        "any-origin",
        f"{HERE}deciders.py::test_a_link_decides_nothing_and_a_captured_form_is_worth_nothing",
        "forms of another site",
        Edit("adapters/web/site.py", "return origins == [self.origin]", "return bool(origins)"),
    ),
    a_fault(
        "principal-among-four-eyes",
        f"{HERE}deciders.py::test_four_eyes_are_those_of_two_people_without_a_stake",
        "a principal among the four eyes",
        Edit(
            APPROVAL,
            "excluded |= {stakes.principal, stakes.owner}",
            "excluded |= {stakes.owner}",
        ),
    ),
    a_fault(
        "count-ignored",
        f"{HERE}deciders.py::test_four_eyes_are_those_of_two_people_without_a_stake",
        "a first vote that is enough",
        Edit(APPROVAL, ">= max(1, approval.count)", ">= min(1, approval.count)"),
    ),
    a_fault(
        "clicks-counted",
        f"{HERE}deciders.py::test_four_eyes_are_those_of_two_people_without_a_stake",
        "clicks counted in place of people",
        Edit(
            TRANSITIONS,
            "    if earlier is not None and earlier.choice is vote.choice:\n"
            "        return Replay(Recorded(state=proposal.state, message=_waiting",
            "    if earlier is not None and vote.choice is Choice.REJECT:\n"
            "        return Replay(Recorded(state=proposal.state, message=_waiting",
        ),
        Edit(
            APPROVAL,
            "return len(votes(decisions, digest=digest, among=among)) >= max",
            "return sum(one.person in among and one.digest == digest for one in decisions) >= max",
        ),
    ),
    a_fault(
        "outvoted",
        f"{HERE}deciders.py::test_one_rejection_outweighs_every_approval",
        "a rejection after an approval that only counts as no vote",
        Edit(
            TRANSITIONS,
            "    if vote.choice is Choice.REJECT:\n        return _reject",
            "    if vote.choice is Choice.REJECT and not proposal.decisions:\n"
            "        return _reject",
        ),
    ),
)

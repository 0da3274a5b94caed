"""Faults in cards and in what the agent hears."""

from typing import Final

from tests.regressions.plants.fault import Edit, a_fault
from tests.regressions.plants.places import ANY_PROOF, CARD, HERE, TRANSITIONS

FAULTS: Final = (
    # Cards.
    a_fault(
        "cut-unsaid",
        f"{HERE}cards.py::test_what_is_cut_off_is_read_before_it_is_approved",
        "an approval of what was cut off",
        Edit(
            CARD,
            "return _fit(proposal, proposal.action, max_chars)[1] > 0",
            "return _fit(proposal, proposal.action, max_chars)[1] < 0",
        ),
    ),
    a_fault(
        "markup",
        f"{HERE}cards.py::test_hostile_text_stays_text",
        "templates that do not escape",
        Edit("adapters/web/rendering.py", "autoescape=True,", "autoescape=False,"),
        Edit("adapters/web/rendering.py", "else escape(piece)", "else Markup(piece)"),
    ),
    a_fault(
        "invisible",
        f"{HERE}cards.py::test_hostile_text_stays_text",
        "characters that stay invisible",
        Edit(
            "bot/core/untrusted.py",
            "    return _odd(text).sub(lambda run: _spell(run[0]), text)",
            "    return text",
        ),
    ),
    a_fault(
        "secrets-pass",
        f"{HERE}cards.py::test_a_secret_is_refused_and_kept_nowhere",
        "a look for secrets that finds none",
        Edit(
            "bot/core/secret_scan.py",
            "    return tuple(dict.fromkeys(found))",
            "    return tuple(dict.fromkeys(found[:0]))",
        ),
    ),
    a_fault(
        "tokens-in-the-clear",
        f"{HERE}cards.py::test_the_files_of_a_deployment_hold_no_token",
        "tokens kept as they are",
        Edit(
            "bot/core/tokens.py",
            'hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()',
            "token",
        ),
    ),
    a_fault(
        "no-audience",
        f"{HERE}cards.py::test_a_card_says_who_wants_what_for_whom_and_who_sees_it",
        "a card without its audience",
        Edit("adapters/web/templates/_card.html", "  {{ parts.audience(card) }}\n", ""),
    ),
    a_fault(
        "claims-as-facts",
        f"{HERE}cards.py::test_a_card_says_who_wants_what_for_whom_and_who_sees_it",
        "an agent's claims that stand as facts",
        Edit(
            "adapters/web/templates/_card.html",
            '<h2 id="claim">{{ words.CLAIMED }}</h2>',
            '<h2 id="claim">Why</h2>',
        ),
    ),
    a_fault(
        "session-in-the-button",
        f"{HERE}cards.py::test_a_button_carries_nothing_that_is_worth_copying",
        "a button that counts in any session",
        ANY_PROOF,
    ),
    # Waiting.
    a_fault(
        "nobody-executes",
        f"{HERE}waiting.py::test_it_is_done_though_the_agent_is_gone",
        "an approval that leaves the doing to the agent",
        Edit(TRANSITIONS, "(effects.execute(proposal.id), *follow)", "follow"),
    ),
    a_fault(
        "waits-for-a-day",
        f"{HERE}waiting.py::test_waiting_is_bounded_and_ends_nothing",
        "a wait as long as it was asked for",
        Edit(
            "bot/http/prefer.py",
            "return min(int(seconds[:9]), MAX_WAIT_S)",
            "return int(seconds[:9])",
        ),
    ),
    a_fault(
        "no-reason",
        f"{HERE}waiting.py::test_a_no_has_a_reason_and_does_not_wear_off",
        "a reason that stays with the person",
        Edit(TRANSITIONS, "        reason=vote.reason or None,\n", "        reason=None,\n"),
    ),
    a_fault(
        "silence-is-no",
        f"{HERE}waiting.py::test_silence_is_neither_yes_nor_no",
        "a time-out that is told as a denial",
        Edit(
            "bot/core/status.py",
            '"Nobody answered in time. You do not have permission. "',
            '"The request was denied. "',
        ),
    ),
)

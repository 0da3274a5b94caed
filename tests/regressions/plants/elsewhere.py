"""Faults that tests outside of this folder find."""

from typing import Final

from tests.regressions.plants.fault import Edit, a_fault
from tests.regressions.plants.places import TRANSITIONS, reopened

FAULTS: Final = (
    # Proven elsewhere.
    a_fault(
        "takes-over-blindly",
        "tests/faults/test_sigkill.py::test_a_bot_that_is_killed_tells_one_truth_when_it_is_back",
        "what a dead worker began done again",
        Edit(
            TRANSITIONS,
            "may_repeat = verb is not None and verb.idempotent and ",
            "may_repeat = verb is not None and ",
        ),
        only="arrival",
    ),
    a_fault(
        "every-click-wins",
        "tests/faults/test_races.py::test_of_everybody_at_once_one_wins_and_all_are_told_the_same",
        "a second word that counts after the first",
        *reopened("REJECTED", "WITHDRAWN", "EXPIRED", "REVOKED"),
    ),
    a_fault(
        "no-lock",
        "tests/faults/test_bad_places.py::"
        "test_a_second_bot_on_the_same_data_is_refused_and_the_first_goes_on",
        "a database without its lock",
        Edit(
            "store/sqlite/place.py",
            "fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
            "fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        ),
    ),
    a_fault(
        "told-once",
        "tests/webhooks/test_truth.py::test_the_agent_ends_with_the_truth",
        "a message that is given up at the first failure",
        Edit(
            "bot/service",
            "                return NotSaid(news=news, pause_s=pause, why=why)",
            "                return Said()",
        ),
        only="failing",
    ),
    a_fault(
        "errors-quote-secrets",
        "tests/secrets/test_canaries.py::test_nobody_is_told_a_secret",
        "errors that quote what they were sent",
        Edit(
            "bot/core/secret_scan.py",
            "    return shown + text[end:]\n",
            "    return text\n",
        ),
    ),
    a_fault(
        "gate-gone-is-yes",
        "sdk/tests/test_client.py::test_every_doubt_fails_closed",
        "a gate that does not answer taken for a yes",
        Edit(
            "sdk/keyturn_client/gate.py",
            'raise GateUnreachable(f"The gate did not answer: {type(error).__name__}.") from error',
            "return {}",
        ),
        Edit(
            "sdk/keyturn_client/verifier.py",
            "if any(answer.get(name) != value for name, value in expected.items()):",
            "if answer and any(answer.get(name) != value for name, value in expected.items()):",
        ),
    ),
    a_fault(
        "posts-without-asking",
        "tests/e2e/test_forum_story.py::test_the_agent_reaches_the_board_only_through_a_person",
        "a first policy that allows",
        Edit(
            "bot/cli/samples/policy.yaml",
            "    effect:\n      hold: {mode: confirm, expires: 1h, use_by: 15m}\n",
            "    effect: allow\n",
        ),
    ),
    a_fault(
        "acknowledged-first",
        "tests/faults/test_bad_places.py::test_nothing_moves_that_cannot_be_recorded",
        "a click that is acknowledged though it could not be kept",
        Edit(
            "bot/service",
            "            return NotRecorded(code=error.code, message=_for_people(error))",
            "            seen = await known(self._gate, click.proposal)\n"
            "            return Recorded(state=seen.state, message=error.message)",
        ),
        only="locked_database",
    ),
)

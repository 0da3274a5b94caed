"""Faults in carrying out, around the gate, over restarts, and in the log."""

from typing import Final

from tests.regressions.plants.fault import Edit, a_fault
from tests.regressions.plants.places import (
    FORGETS,
    HERE,
    HTTP,
    SENDS,
    SERVICE,
    SESSION,
    TRANSITIONS,
)

FAULTS: Final = (
    # What is carried out.
    a_fault(
        "tidied",
        f"{HERE}execution.py::test_what_is_sent_is_what_was_shown",
        "a connector that tidies the text before it sends it",
        Edit(
            HTTP,
            "headers=headers, body=canonical(body))",
            'headers=headers, body=canonical(body).replace(b"\\\\t", b" "))',
        ),
    ),
    a_fault(
        "any-digest",
        f"{HERE}execution.py::test_what_is_sent_is_what_was_shown",
        "a click that counts for another card",
        Edit(
            TRANSITIONS,
            "return len(prefix) >= MIN_DIGEST_PREFIX and hexadecimal.startswith(prefix)",
            "return len(prefix) >= MIN_DIGEST_PREFIX and bool(hexadecimal)",
        ),
    ),
    a_fault(
        "drift-ignored",
        f"{HERE}execution.py::test_a_target_that_moved_is_asked_about_again",
        "a target that is written though it moved",
        Edit(SERVICE, "        if stale is not None:\n            return stale\n", ""),
        Edit(HTTP, '        headers["If-Match"] = etag\n', ""),
    ),
    a_fault(
        "sends-again",
        f"{HERE}execution.py::test_a_lost_answer_is_looked_up_and_not_sent_again",
        "a write that is sent again when its answer is lost",
        Edit(
            HTTP,
            f"exchange = {SENDS}",
            f"exchange = {SENDS}\n        if not isinstance(exchange, Answer):\n"
            f"            exchange = {SENDS}",
        ),
    ),
    a_fault(
        "form-fields-ignored",
        f"{HERE}execution.py::test_a_click_cannot_change_what_it_approves",
        "forms with fields that nobody looks at",
        Edit(
            "adapters/web/forms.py",
            'model_config = ConfigDict(frozen=True, extra="forbid")',
            'model_config = ConfigDict(frozen=True, extra="ignore")',
        ),
    ),
    a_fault(
        "dots-in-the-path",
        f"{HERE}execution.py::test_a_resource_cannot_lead_elsewhere",
        "two dots that lead up in a path",
        Edit(
            "adapters/http/path.py",
            "    if _is_a_step(written):\n",
            "    if not written:\n",
        ),
    ),
    # Round the gate.
    a_fault(
        "allowed-by-default",
        f"{HERE}round_the_gate.py::test_without_a_rule_and_without_the_credential_there_is_no_way",
        "a policy that allows what it does not mention",
        Edit(
            "bot/core/policy.py",
            "        return Deny(reason=NO_RULE)\n    release",
            "        return Allow(rules=rules)\n    release",
        ),
    ),
    a_fault(
        "denials-are-asked-about",
        f"{HERE}round_the_gate.py::test_what_a_rule_refused_cannot_be_approved",
        "a denial that only asks a person",
        Edit(
            TRANSITIONS,
            "        case _:\n            return verdict\n",
            "        case Deny():\n"
            "            return Hold(approval=Approval(), rules=verdict.rules)\n"
            "        case _:\n            return verdict\n",
        ),
    ),
    a_fault(
        "an-open-route",
        f"{HERE}round_the_gate.py::test_without_a_token_nothing_is_taken",
        "a list that everybody may read",
        Edit(
            "bot/http/agent_routes.py",
            "        handler=list_proposals,\n        auth=Auth.AGENT,",
            "        handler=list_proposals,\n        auth=Auth.NOBODY,",
        ),
    ),
    a_fault(
        "everybodys-proposals",
        f"{HERE}round_the_gate.py::test_another_agents_proposal_does_not_exist",
        "agents that see what is not theirs",
        Edit(
            "bot/core/proposal.py",
            "return self.agent == agent and self.undoes is None",
            "return bool(agent) and self.undoes is None",
        ),
    ),
    a_fault(
        "a-delete",
        f"{HERE}round_the_gate.py::test_nothing_can_be_deleted",
        "an operation that deletes",
        Edit(
            "bot/http/agent_routes.py",
            '        method="GET",\n        path="/v1/proposals/{id}/receipt",',
            '        method="DELETE",\n        path="/v1/proposals/{id}",',
        ),
    ),
    # Restarts.
    a_fault(
        "proofs-of-one-process",
        f"{HERE}restarts.py::test_a_page_from_before_the_crash_decides_after_it",
        "pages that one process alone believes",
        Edit(
            SESSION,
            "return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256)",
            "return hmac.new(self.token.encode(), repr(hmac).encode() + str(__import__('os')"
            ".getpid()).encode() + purpose.encode(), hashlib.sha256)",
        ),
    ),
    a_fault(
        "forgets-what-waits",
        f"{HERE}restarts.py::test_a_page_from_before_the_crash_decides_after_it",
        "a store in memory",
        FORGETS,
    ),
    a_fault(
        "forgets-who-decided",
        f"{HERE}restarts.py::test_who_decided_what_is_still_known_after_a_restart",
        "a store in memory",
        FORGETS,
    ),
    a_fault(
        "settings-not-bound",
        f"{HERE}restarts.py::test_settings_that_changed_while_it_waited_end_it",
        "a digest that leaves out how it is carried out",
        Edit(
            "bot/core/transitions",
            "has_changed = verb is None or verb.config_digest != proposal.verb_digest",
            "has_changed = verb is None",
        ),
    ),
    a_fault(
        "example-key",
        f"{HERE}restarts.py::test_an_example_value_is_refused_at_start",
        "the key of the example",
        Edit(
            "bot/secret_refs.py",
            "if is_placeholder(value) or _WORD.match(value):",
            "if not value:",
        ),
    ),
    # The log.
    a_fault(
        "tail-unnoticed",
        f"{HERE}log.py::test_whoever_touches_the_log_is_noticed",
        "a verifier that does not look at the end",
        Edit("bot/core/audit/verify.py", "        self._check_end()\n", ""),
        Edit(
            "bot/core/audit/verify.py",
            '        if root is None:\n            what = f"{self._tree.size} entries, and',
            "        if root is None:\n            return True\n"
            '            what = f"{self._tree.size} entries, and',
        ),
    ),
    a_fault(
        "refusals-unrecorded",
        f"{HERE}log.py::test_the_whole_life_is_in_the_log",
        "refused clicks that are in no log",
        Edit(
            TRANSITIONS,
            '                type="click.refused",\n',
            '                type="card.viewed",\n',
        ),
    ),
)

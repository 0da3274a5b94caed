"""One verdict of a policy of 100 rules of which one matches, in units of a canonical form."""

import timeit
from collections.abc import Callable
from typing import Final

from bot.core.canonical import canonical
from bot.core.ids import AgentId, PersonId
from bot.core.policy import Question, evaluate
from bot.core.policy_file import parse_policy
from bot.core.verbs import Kind

RULES: Final = 100
_ROUNDS: Final = 7
_CALLS: Final = 10_000

#: How the verbs of the rules are written, and what it stands for.
_SHAPES: Final = {
    "a verb each": "forum{i}.post",
    "a verb family each": "forum{i}.*",
    "one verb, an agent each": "forum50.post",
    "any verb, an agent each": "*",
    "verbs by their end": "*.post",
}
_RULE: Final = """\
  - id: rule-{i}
    agents: [agent-{i}]
    verbs: ["{verb}"]
    resources: ["forum:*"]
    where: {{params.visibility: {{in: [public]}}, params.body: {{len_le: 5000}}}}
    effect: {{hold: {{}}}}
"""


def question() -> Question:
    return Question(
        agent="agent-50",
        agent_id=AgentId("agt_50"),
        principal=PersonId("per_dana"),
        verb="forum50.post",
        resource="forum:general",
        kind=Kind.WRITE,
        params={"visibility": "public", "body": "hello " * 40},
    )


def microseconds(call: Callable[[], object]) -> float:
    return min(timeit.repeat(call, number=_CALLS, repeat=_ROUNDS)) / _CALLS * 1e6


def main() -> None:
    asked = question()
    unit_us = microseconds(lambda: canonical({"params": asked.params, "verb": asked.verb}))
    print(f"policy of {RULES} rules, one matches; canonical form of the action {unit_us:.1f} µs")
    for shape, verb in _SHAPES.items():
        rules = "".join(_RULE.format(i=i, verb=verb.format(i=i)) for i in range(RULES))
        policy = parse_policy("version: 1\nrules:\n" + rules)
        taken_us = microseconds(lambda policy=policy: evaluate(policy, asked))  # type: ignore[misc]
        print(f"  {shape:<24} {taken_us:6.2f} µs  {taken_us / unit_us:5.1f} x")


if __name__ == "__main__":
    main()

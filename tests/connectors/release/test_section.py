"""What the section of a connector `release` may say, and that the connector can do nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.release import ReleaseConnector, create
from bot.core.errors import InvalidInput, SettingsInvalid
from bot.core.proposal import Action
from bot.core.verbs import Kind, Reach, Release
from bot.ports.connector import Failed, Unknown
from bot.testing.clock import ManualClock

AUDIENCE = "https://pay.example"


def section(**changes: Any) -> dict[str, Any]:
    return {
        "type": "release",
        "audience": AUDIENCE,
        "report_within_s": 60,
        "verbs": {"payment.send": verb()},
        **changes,
    }


def verb(**changes: Any) -> dict[str, Any]:
    return {
        "summary": "Send a payment",
        "kind": "write",
        "resources": ["account:*"],
        "params": {"type": "object", "properties": {"amount": {"type": "string"}}},
        "seen_by": {"reach": "private", "who": "The payee sees this", "readers": 1},
        "say": {"effect": "Send a payment"},
        **changes,
    }


def made(value: dict[str, Any] | None = None) -> ReleaseConnector:
    return create(
        "payments", section() if value is None else value, secrets=lambda _: "", clock=ManualClock()
    )


def action(resource: str = "account:7") -> Action:
    return Action(verb="payment.send", resource=resource, params={"amount": "12.00"})


def test_a_verb_says_to_whom_it_is_released() -> None:
    declared = made().verbs["payment.send"]

    assert declared.release == Release(audience=AUDIENCE, report_within_s=60)
    assert declared.kind is Kind.WRITE
    assert declared.params_schema["additionalProperties"] is False


async def test_the_card_says_that_the_agent_does_it_itself() -> None:
    connector = made()

    facts = await connector.inspect(action())
    preview = connector.preview(action(), facts)

    assert facts.audience.reach is Reach.PRIVATE
    assert facts.audience.who == "The payee sees this"
    assert preview.effect == f"Send a payment (the agent does it itself, once, at {AUDIENCE})"
    assert preview.reversible == "Keyturn cannot undo this."


async def test_a_resource_that_the_verb_does_not_take_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        await made().inspect(action("mailbox:7"))

    assert refused.value.field == "/action/resource"


async def test_it_can_carry_nothing_out() -> None:
    connector = made()

    executed = await connector.execute(action(), key="prp_1", etag=None, deadline=datetime.now(UTC))

    assert isinstance(executed, Failed)
    assert executed.reason == "only_released"
    assert isinstance(await connector.lookup(action(), key="prp_1"), Unknown)


@pytest.mark.parametrize(
    "changed",
    [
        section(audience="https://other.example"),
        section(report_within_s=61),
        section(verbs={"payment.send": verb(say={"effect": "Pay"})}),
        section(verbs={"payment.send": verb(kind="destructive")}),
        section(verbs={"payment.send": verb(resources=["account:7"])}),
    ],
)
def test_every_change_is_another_configuration(changed: dict[str, Any]) -> None:
    before, after = (made(one).verbs["payment.send"] for one in (section(), changed))

    assert before.config_digest != after.config_digest


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (section(audience="has a blank"), "connectors.payments.audience"),
        (section(audience=""), "connectors.payments.audience"),
        (section(report_within_s=1), "connectors.payments.report_within_s"),
        (section(verbs={}), "connectors.payments.verbs"),
        (section(base_url="https://pay.example"), "connectors.payments.base_url"),
        (
            section(verbs={"payment.send": verb(params={"type": "array"})}),
            "connectors.payments.verbs.payment.send.params",
        ),
        (
            section(verbs={"payment.send": verb(params={"type": "object", "required": 7})}),
            "connectors.payments.verbs.payment.send.params",
        ),
        (
            section(verbs={"payment.send": verb(resources=[])}),
            "connectors.payments.verbs.payment.send.resources",
        ),
        (
            section(verbs={"payment.send": verb(seen_by={"reach": "private"})}),
            "connectors.payments.verbs.payment.send.seen_by.who",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(wrong: dict[str, Any], place: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        made(wrong)

    assert any(problem.startswith(f"{place}: ") for problem in refused.value.problems)

"""A payment that Keyturn cannot make: released, redeemed once, across a restart. Real processes."""

import signal
from pathlib import Path

import pytest
import yaml

from keyturn_client import Action, GrantRefused, GrantVerifier, Keyturn
from tests.cli.deployments import START_WITHIN_S, Deployment, make_deployment, url

AUDIENCE = "https://pay.example"
PAYMENT = Action(
    verb="payment.send", resource="account:4711", params={"amount": "12.00", "to": "acme"}
)
CONNECTORS = {
    "payments": {
        "type": "release",
        "audience": AUDIENCE,
        "verbs": {
            "payment.send": {
                "summary": "Send a payment",
                "kind": "write",
                "resources": ["account:*"],
                "params": {
                    "type": "object",
                    "properties": {"amount": {"type": "string"}, "to": {"type": "string"}},
                },
                "seen_by": {"reach": "private", "who": "The payee sees this"},
                "say": {"effect": "Send a payment"},
            }
        },
    }
}
POLICY = f"""
version: 1
rules:
  - id: payments
    verbs: [payment.send]
    effect: {{allow: {{release: ["{AUDIENCE}"]}}}}
"""


@pytest.fixture
def bank(tmp_path: Path) -> Deployment:
    deployment = make_deployment(tmp_path / "keyturn-data")
    settings = yaml.safe_load(deployment.config.read_text())
    deployment.config.write_text(yaml.safe_dump({**settings, "connectors": CONNECTORS}))
    (deployment.home / "policy.yaml").write_text(POLICY)
    return deployment


async def test_a_grant_is_good_once_and_stays_used_after_a_crash(bank: Deployment) -> None:
    process, _ = bank.start()
    with process:
        bank.done("person", "create", "dana", "--name", "Dana Ruiz")
        token = bank.json(
            *("agent", "create", "teller", "--owner", "dana", "--purpose", "Pays"),
            *("--for", "dana", "--verb", "payment.*"),
        )["token"]
        till = bank.json("resource", "create", "till", "--audience", AUDIENCE)["token"]
        gate = url(bank, "agents")
        name = yaml.safe_load(bank.config.read_text())["deployment"]

        def verifier() -> GrantVerifier:
            issuer = f"urn:keyturn:deployment:{name}"
            return GrantVerifier(gate, audience=AUDIENCE, issuer=issuer, token=till)

        async with Keyturn(gate, token=token) as agent, verifier() as server:
            used = await agent.propose(PAYMENT, key="one", audience=AUDIENCE)
            used_grant = await agent.grant(used.id)
            await server.redeem(used_grant.token, PAYMENT)
            fresh = await agent.propose(PAYMENT, key="two", audience=AUDIENCE)
            fresh_grant = await agent.grant(fresh.id)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=START_WITHIN_S)

    with bank.serving():
        async with Keyturn(gate, token=token) as agent, verifier() as server:
            with pytest.raises(GrantRefused) as refused:
                await server.redeem(used_grant.token, PAYMENT)
            assert refused.value.code == "grant_used"
            assert await agent.grant(fresh.id) == fresh_grant
            await server.redeem(fresh_grant.token, PAYMENT)
            await server.report(fresh.id, "succeeded", reference="tx-1")
            found = await agent.wait(fresh.id)
            assert (found.state, found.executed) == ("succeeded", True)


def test_without_its_key_a_bot_that_releases_does_not_start(bank: Deployment) -> None:
    key = bank.home / "keys" / "grant-1.key"
    assert oct(key.stat().st_mode)[-3:] == "600"
    key.unlink()

    refused = bank.run("serve")

    assert refused.returncode == 3
    assert "grant-1.key" in refused.stdout + refused.stderr

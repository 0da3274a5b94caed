"""Who is on the scene: a hostile agent, the others, and what they have that it wants."""

import time
from dataclasses import dataclass
from typing import Any

from tests.hostile.scene import AUDIENCE, ELSEWHERE, Program, Scene, Someone

_WITHIN_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """``mallory`` is hostile and acts for the same people as ``quiet``; ``theirs`` are the
    proposals of ``quiet`` by how far they have come, ``grants`` what came of two of them.
    """

    mallory: Program
    quiet: Program
    bank: Program
    other_bank: Program
    dana: Someone
    li: Someone
    eve: Someone
    admin: str
    auditor: str
    theirs: dict[str, str]
    grants: dict[str, Any]


def assemble(scene: Scene) -> Cast:
    dana, li, eve = scene.person("dana"), scene.person("li"), scene.person("eve")
    scene.person("ada", "admin")
    scene.person("otto", "auditor")
    quiet = scene.agent("quiet", dana, li)
    bank = scene.resource_server("bank", AUDIENCE)

    def notes(text: str, **more: Any) -> str:
        proposed = scene.propose(quiet, text=text, on_behalf_of=dana.id, **more)
        assert proposed.status == 202, proposed.body
        return str(proposed.json["id"])

    theirs = {"pending": notes("pending"), "superseded": notes("first")}
    theirs["superseding"] = notes("second", supersedes=theirs["superseded"])
    theirs["withdrawn"] = notes("withdrawn")
    path = f"/v1/proposals/{theirs['withdrawn']}/withdraw"
    assert scene.agents.ask("POST", path, token=quiet.token).status == 200
    theirs["succeeded"] = notes("done")
    told = scene.press(dana, theirs["succeeded"], scene.card(dana, theirs["succeeded"]))
    assert scene.state(theirs["succeeded"])["decisions"], told
    grants = {}
    for name in ("approved", "released", "redeemed"):
        paid = scene.pay(quiet, on_behalf_of=dana.id)
        theirs[name] = paid["id"]
        if name != "approved":
            grants[name] = scene.grant(quiet, paid["id"])
    body = {k: grants["redeemed"][k] for k in ("grant", "action_digest")}
    redeemed = scene.agents.ask("POST", "/v1/grants/redeem", token=bank.token, body=body)
    assert redeemed.status == 200, redeemed.body
    _settle(scene, theirs)
    return Cast(
        mallory=scene.agent("mallory", dana, li),
        quiet=quiet,
        bank=bank,
        other_bank=scene.resource_server("other-bank", ELSEWHERE),
        dana=dana,
        li=li,
        eve=eve,
        admin=scene.admin_token("ada"),
        auditor=scene.admin_token("otto"),
        theirs=theirs,
        grants=grants,
    )


def _settle(scene: Scene, theirs: dict[str, str]) -> None:
    """Wait until every card is shown and what was approved is done: nothing moves by itself."""
    until = time.monotonic() + _WITHIN_S
    while True:
        seen = {name: scene.state(proposal) for name, proposal in theirs.items()}
        pending = [seen[name] for name in ("pending", "superseding")]
        if seen["succeeded"]["state"] == "succeeded" and all(
            one["delivery"] == "delivered" for one in pending
        ):
            return
        assert time.monotonic() < until, seen

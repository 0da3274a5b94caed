"""Whatever stands in an activity that Teams has signed, it is answered and decides nothing."""

import copy
import random
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import pytest

from bot.core.states import State
from tests.chats.house import card_of
from tests.teams.stage import Client
from tests.teams.teams_house import TeamsHouse
from tests.teams.teams_office import open_teams_office

Path: TypeAlias = tuple[str | int, ...]

ACTIVITIES: Final = 300
JUNK: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1e308, "", "x" * 5_000, "\x00", "\u202e", "approve", "{{DATE()}}"),
    *("prp_" + "0" * 26, "v1.prp_x.y", [], {}, [[]], ["approve"], {"verb": "approve"}),
    {"a": {"b": [1, 2, {"c": None}]}},
)
#: What a signature is checked against, and what makes it an activity at all.
KEPT: Final[frozenset[Path]] = frozenset({("serviceUrl",), ("type",)})


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """Yield the way to every value inside of *value*."""
    members = value.items() if isinstance(value, dict) else ()
    for name, member in enumerate(value) if isinstance(value, list) else members:
        yield (*here, name)
        yield from paths(member, (*here, name))


def mangled(activity: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return *activity* with a few values replaced or left out."""
    changed = copy.deepcopy(activity)
    for _ in range(chance.randint(1, 3)):
        *way, last = chance.choice([path for path in paths(changed) if path not in KEPT])
        holder: Any = changed
        for name in way:
            holder = holder[name]
        if chance.random() < 0.25:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(chance.choice(JUNK))
    return changed


@pytest.mark.parametrize("client", list(Client))
async def test_whatever_is_sent_in_the_place_of_a_click_is_answered_and_moves_nothing(
    client: Client,
) -> None:
    chance = random.Random(5)
    async with open_teams_office(client) as opened:
        house, office, deliveries = TeamsHouse(opened), opened.office, opened.teams.deliveries
        mira = await house.hire("Mira")
        proposal = await office.propose()
        card = await card_of(house, proposal)
        click = (await house.seat(mira).click(card)).payload
        statuses = set()
        for number in range(ACTIVITIES):
            sent = mangled({**click, "id": f"f:{number}"}, chance)
            statuses.add((await deliveries.deliver(sent)).status)
        assert statuses == {200 if client is Client.EXECUTE else 202, 400, 401}
        now = await office.now(proposal.id)
        assert (now.state, now.decisions) == (State.PENDING, ())
        # And whoever may still can.
        assert await (await house.seat(office.dana).click(card)).deliver()
        assert (await office.until(proposal.id)).state is State.SUCCEEDED

"""What comes of a grant: taken, redeemed rightly and wrongly, and reported."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from bot.core.errors import KeyturnError
from bot.core.ids import ProposalId
from bot.core.proposal import Result
from tests.explorer.happening import Event, Events, Play, with_slot
from tests.explorer.stage import Stage
from tests.explorer.world import World
from tests.faults.checker import FINAL


@dataclass(slots=True)
class Grants:
    """The events of release mode on one stage, by theme."""

    stage: Stage

    def grants(self, label: str) -> Events:
        def events(world: World) -> Iterator[Event]:
            slot = world.slot(label)
            if slot is None or world.books.state(slot.id) in FINAL | {"pending", "in_doubt"}:
                return

            async def play(world: World) -> World:
                self.stage.named(f"grant of {label}")
                try:
                    _, token = await self.stage.release.grant(
                        self.stage.cast.agent, ProposalId(slot.id)
                    )
                except KeyturnError:
                    return world
                return with_slot(world, replace(slot, token=token))

            yield Event(f"the agent takes the grant of {label}", play)

        return events

    def redeems(self, label: str) -> Events:
        """The resource server that is meant, under two keys; for another action; another one."""

        def events(world: World) -> Iterator[Event]:
            slot = world.slot(label)
            if slot is None or not slot.token:
                return
            pay, mail = self.stage.cast.servers
            own = str(world.books.proposals[slot.id]["action_digest"])
            other = "sha256:" + "0" * 64
            for who, server, digest, key in (
                ("pay (key 1)", pay, own, "1"),
                ("pay (key 2)", pay, own, "2"),
                ("pay, for another action", pay, other, "1"),
                ("mail", mail, own, "1"),
            ):
                play = self._redeeming(label, server, digest, key)
                yield Event(f"{who} redeems the grant of {label}", play)

        return events

    def _redeeming(self, label: str, server: Any, digest: str, key: str) -> Play:
        async def play(world: World) -> World:
            slot = world.slot(label)
            assert slot is not None, f"nothing is proposed under {label}"
            try:
                told = await self.stage.release.redeem(
                    server, slot.token, action_digest=digest, key=key
                )
            except KeyturnError:
                return world
            if told.replayed:
                return world
            own = world.books.proposals[slot.id]["action_digest"]
            now = with_slot(world, replace(slot, redeemed=slot.redeemed + 1))
            if server is not self.stage.cast.servers[0]:
                return replace(now, wrong=f"another resource server redeemed {label}")
            return now if digest == own else replace(now, wrong="another action was permitted")

        return play

    def reports(self, label: str) -> Events:
        def events(world: World) -> Iterator[Event]:
            slot = world.slot(label)
            if slot is None or not slot.redeemed:
                return
            agent, (pay, _) = self.stage.cast.agent, self.stage.cast.servers
            for who, by, result in (
                ("the agent", agent, Result.SUCCEEDED),
                ("pay", pay, Result.SUCCEEDED),
                ("pay", pay, Result.FAILED),
            ):

                async def play(world: World, by: Any = by, result: Result = result) -> World:
                    with suppress(KeyturnError):
                        await self.stage.release.report(
                            by, ProposalId(slot.id), result=result, detail="", reference=None
                        )
                    return world

                yield Event(f"{who} reports that {label} {result.value}", play)

        return events

"""News: which states proposals entered, and which agents are to be told."""

from dataclasses import replace

from bot.core.ids import WebhookSecretId
from bot.core.states import State
from bot.core.step import Ask
from bot.core.webhook import Webhook, WebhookSecret
from bot.ports.queries import NewsOfAgent, NewsOfProposal
from bot.ports.store import Store
from bot.testing.stores import acts
from bot.testing.stores.acts import CLERK, SCOUT

HOOK = Webhook(
    url="https://scout.example/hook", secrets=(WebhookSecret(id=WebhookSecretId("whs_1")),)
)


class News:
    """What `bot.ports.store.Store` promises about what agents are told."""

    async def test_each_state_is_news_once_and_later_leaves_of_it_are_not(
        self, store: Store
    ) -> None:
        held = await acts.hold(store, 1)
        await acts.keep(store, leaves=[acts.draft(held, type="card.posted"), acts.draft()])
        await acts.hold(store, 2)
        moved = await acts.move(store, held.id, State.REJECTED)
        await acts.keep(store, leaves=[acts.draft(moved, type="click.refused")])

        told = await acts.listed(store, NewsOfProposal(held.id))

        log = await acts.log(store)
        assert [(n.cursor, n.state) for n in told] == [(0, State.PENDING), (4, State.REJECTED)]
        assert [(n.proposal, n.at) for n in told] == [(held.id, log[n.cursor].at) for n in told]
        assert await acts.listed(store, NewsOfProposal(held.id, after=0)) == told[1:]
        assert await acts.listed(store, NewsOfProposal(held.id, after=4)) == []

    async def test_an_agents_news_come_in_order_page_by_page(self, store: Store) -> None:
        first, second = [await acts.hold(store, n) for n in (1, 2)]
        await acts.hold(store, 3, agent=CLERK.id)
        await acts.move(store, second.id, State.APPROVED)
        await acts.move(store, first.id, State.REJECTED)
        await acts.hold(store, 4, undoes=first.id)

        everything = await store.read(NewsOfAgent(SCOUT.id))
        one = await store.read(NewsOfAgent(SCOUT.id, limit=1))
        rest = await store.read(NewsOfAgent(SCOUT.id, after=one.looked_to))

        assert [(n.proposal, n.state) for n in everything.news] == [
            (first.id, State.PENDING),
            (second.id, State.PENDING),
            (second.id, State.APPROVED),
            (first.id, State.REJECTED),
        ]
        assert (everything.looked_to, everything.is_last) == (5, True)
        assert (one.looked_to, one.is_last) == (0, False)
        assert [*one.news, *rest.news] == list(everything.news)

    async def test_a_page_looks_no_further_than_it_was_told(self, store: Store) -> None:
        for n in range(5):
            await acts.hold(store, n, agent=CLERK.id)
        mine = await acts.hold(store, 9)

        empty = await store.read(NewsOfAgent(SCOUT.id, leaves=3))
        next_one = await store.read(NewsOfAgent(SCOUT.id, after=empty.looked_to, leaves=3))
        after_all = await store.read(NewsOfAgent(SCOUT.id, after=next_one.looked_to))

        assert (list(empty.news), empty.looked_to, empty.is_last) == ([], 2, False)
        assert [n.proposal for n in next_one.news] == [mine.id]
        assert next_one.is_last
        assert (list(after_all.news), after_all.looked_to, after_all.is_last) == ([], 5, True)

    async def test_every_step_sees_which_agents_have_a_webhook(self, store: Store) -> None:
        assert (await acts.look(store, Ask())).told == frozenset()
        with_hook = replace(SCOUT, webhook=HOOK)
        await acts.keep(store, with_hook, CLERK)

        assert (await acts.look(store, Ask())).told == {SCOUT.id}

        stopped = replace(HOOK, stopped="It is gone.")
        for no_more in (
            replace(SCOUT, webhook=stopped),
            replace(with_hook, active=False),
            replace(SCOUT, webhook=None),
        ):
            await acts.keep(store, with_hook)
            await acts.keep(store, no_more)
            assert (await acts.look(store, Ask())).told == frozenset()

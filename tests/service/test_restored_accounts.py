"""A backup brings back no account that was unlinked after it was made."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.core.actors import OPERATOR
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId
from bot.core.transitions.restoring import LogEnd, Reopened
from bot.ports.queries import Head, LinkOf, PersonById, Query
from bot.service.restore import Restore, Restored
from tests.audit.logs import new_signer
from tests.service.office import Office, open_office

MINE = ChatIdentity(chat="silent", tenant="T1", user="U1")
OTHER = ChatIdentity(chat="silent", tenant="T1", user="U2")


@dataclass(slots=True)
class Later:
    """The database as it was when it was replaced: as the backup, but for *changed*."""

    office: Office
    changed: dict[Query[Any], Any]

    async def read(self, query: Query[Any]) -> Any:
        if query in self.changed:
            return self.changed[query]
        return await self.office.store.read(query)


async def _restored(office: Office, changed: dict[Query[Any], Any]) -> Restored:
    head = await office.store.read(Head())
    reopened = Reopened(
        origin=new_signer().key.name,
        epoch=1,
        before=LogEnd(origin=new_signer().key.name, epoch=0, size=head.size, root=head.root),
        known=None,
        made_at=datetime.now(UTC),
    )
    since = Later(office, changed)
    return await Restore(
        office.store, reopened=reopened, since=since, entropy=os.urandom
    ).make_safe()


async def _link(office: Office, identity: ChatIdentity) -> None:
    made = await office.desk.link_code(office.dana.id, chat="silent")
    await office.desk.link(made.code, identity)


async def test_what_was_unlinked_since_is_unlinked_again_and_the_rest_stays() -> None:
    async with open_office() as office:
        await _link(office, MINE)
        await _link(office, OTHER)

        restored = await _restored(office, {LinkOf(MINE): None})

        assert await office.identities.of(office.dana.id, "silent") == [OTHER]
        assert restored.narrowed == 1
        assert (await office.leaf_types())[-1] == "identity.unlinked"


async def test_what_is_somebody_elses_by_now_is_not_theirs_again() -> None:
    async with open_office() as office:
        await _link(office, MINE)
        link = await office.store.read(LinkOf(MINE))
        assert link is not None

        await _restored(office, {LinkOf(MINE): replace(link, person=PersonId("per_other"))})

        assert await office.identities.person(MINE) is None


async def test_an_address_that_changed_since_finds_nobody() -> None:
    async with open_office() as office:
        person = await office.people.set_email(OPERATOR, "dana", "dana@firm.test")

        await _restored(office, {PersonById(person.id): replace(person, email=None)})

        assert await office.identities.email(person.id) is None
        assert (await office.leaf_types())[-1] == "person.email_set"

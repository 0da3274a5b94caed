"""The agents a person sees, what of them is stopped, and what they may stop."""

from bot.core.actors import OPERATOR, Role
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import PersonId
from tests.service.office import Office, open_office


async def _second_agent(office: Office, owner: PersonId, *principals: PersonId) -> None:
    await office.agents.create(
        OPERATOR,
        name="archivist",
        owner=owner,
        purpose="Files notes",
        principals=list(principals),
        verbs=["note.*"],
    )


async def test_a_person_sees_agents_that_act_for_them_or_are_theirs_by_name() -> None:
    async with open_office() as office:
        li, noor = await office.person("li"), await office.person("noor")
        await _second_agent(office, li.id, office.dana.id)

        assert [a.name for a in await office.desk.agents(office.dana.id)] == [
            "archivist",
            "writer",
        ]
        assert [a.name for a in await office.desk.agents(li.id)] == ["archivist"]
        assert list(await office.desk.agents(noor.id)) == []
        archivist = (await office.desk.agents(office.dana.id))[0]
        assert (archivist.owner_name, archivist.acts_for_reader) == ("li", True)


async def test_an_admin_sees_every_agent() -> None:
    async with open_office() as office:
        ada = await office.person("ada", Role.ADMIN)
        (writer,) = await office.desk.agents(ada.id)

        assert (writer.acts_for_reader, writer.pending) == (False, 0)
        assert writer.may_stop == HaltTarget(scope=HaltScope.AGENT, agent=office.agent.id)


async def test_each_may_stop_as_much_as_is_theirs() -> None:
    async with open_office() as office:
        li = await office.person("li")
        await _second_agent(office, li.id, office.dana.id)
        archivist, writer = await office.desk.agents(office.dana.id)

        assert writer.may_stop == HaltTarget(scope=HaltScope.AGENT, agent=office.agent.id)
        assert archivist.may_stop == HaltTarget(
            scope=HaltScope.AGENT_FOR_PRINCIPAL, agent=archivist.id, principal=office.dana.id
        )
        for entry, person in ((writer, office.dana), (archivist, office.dana)):
            assert entry.may_stop is not None
            await office.desk.halt(person.id, entry.may_stop, reason="Enough.", chat="silent")
        assert all(len(a.halts) == 1 for a in await office.desk.agents(office.dana.id))


async def test_a_stop_for_somebody_else_is_theirs_to_see_and_the_owners() -> None:
    async with open_office() as office:
        li, noor = await office.person("li"), await office.person("noor")
        await _second_agent(office, li.id, office.dana.id, noor.id)
        (archivist,) = await office.desk.agents(noor.id)
        assert archivist.may_stop is not None
        await office.desk.halt(noor.id, archivist.may_stop, reason="Enough.", chat="silent")

        assert len((await office.desk.agents(noor.id))[0].halts) == 1
        assert len((await office.desk.agents(li.id))[0].halts) == 1
        assert (await office.desk.agents(office.dana.id))[0].halts == []


async def test_what_waits_for_the_reader_is_counted() -> None:
    async with open_office() as office:
        await office.propose()
        await office.propose("two", key="k2")

        (writer,) = await office.desk.agents(office.dana.id)
        assert writer.pending == 2


async def test_an_agent_that_has_ended_cannot_be_stopped() -> None:
    async with open_office() as office:
        await office.agents.revoke(OPERATOR, office.agent.id, reason="done")

        (writer,) = await office.desk.agents(office.dana.id)
        assert (writer.active, writer.may_stop) == (False, None)

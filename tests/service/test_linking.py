"""Accounts in chats: linked by a code of the person, to one person, and by nobody else."""

import asyncio
import json
from datetime import timedelta

import pytest

from bot.core.actors import OPERATOR, Role, person_actor
from bot.core.errors import Conflict, NotAuthenticated, NotFound, NotPermitted
from bot.core.identity import ChatIdentity
from bot.core.link_code import read_link_code, spell_link_code
from bot.ports.queries import Leaves
from bot.service.erase import Erase
from bot.service.guesses import MOST_OF_ALL, MOST_OF_ONE, WITHIN_S
from bot.service.linking import CODE_TTL_S
from tests.service.office import Office, open_office

MINE = ChatIdentity(chat="silent", tenant="T01", user="U0DANA001")
OTHER = ChatIdentity(chat="silent", tenant="T01", user="U0MIRA001")


async def test_a_code_names_its_person_and_links_the_account_that_redeems_it() -> None:
    async with open_office() as office:
        made = await office.desk.link_code(office.dana.id, chat="silent")

        assert await office.desk.whose_code(made.code) == office.dana
        assert await office.desk.person_of(MINE) is None
        assert await office.desk.link(made.code, MINE) == office.dana

        assert await office.desk.person_of(MINE) == office.dana
        assert await office.desk.identities(office.dana.id) == [MINE]
        assert await office.identities.person(MINE) == office.dana.id
        assert await office.identities.of(office.dana.id, "silent") == [MINE]
        assert await office.identities.of(office.dana.id, "elsewhere") == []


async def test_a_code_works_once() -> None:
    async with open_office() as office:
        made = await office.desk.link_code(office.dana.id, chat="silent")
        await office.desk.link(made.code, MINE)

        with pytest.raises(NotAuthenticated):
            await office.desk.link(made.code, OTHER)
        with pytest.raises(NotAuthenticated):
            await office.desk.whose_code(made.code)
        assert await office.desk.person_of(OTHER) is None


async def test_a_code_ends_after_ten_minutes() -> None:
    async with open_office() as office:
        made = await office.desk.link_code(office.dana.id, chat="silent")
        assert made.expires_at == office.clock.now() + timedelta(seconds=CODE_TTL_S)
        office.clock.advance(CODE_TTL_S)

        with pytest.raises(NotAuthenticated):
            await office.desk.link(made.code, MINE)


@pytest.mark.parametrize(
    "typed", ["{}", " {} ", "{lower}", "{plain}", "{spaced}"], ids=["", "blanks", "a", "-", " "]
)
async def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    async with open_office() as office:
        code = (await office.desk.link_code(office.dana.id, chat="silent")).code
        text = typed.format(
            code, lower=code.lower(), plain=code.replace("-", ""), spaced=code.replace("-", " ")
        )

        assert await office.desk.link(text, MINE) == office.dana


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    assert read_link_code("oOiI-lL00-1111") == read_link_code("0011-1100-1111")
    assert read_link_code("0011-1100-111U") is None
    assert read_link_code("0011-1100-111") is None
    assert read_link_code("0" * 1000) is None


def test_a_code_holds_sixty_bits_of_what_it_is_made_from() -> None:
    codes = {spell_link_code((1 << bit).to_bytes(8, "big")) for bit in range(64)}
    # The four bits above are dropped: they all spell the code of nothing.
    assert len(codes) == 61
    assert all(read_link_code(code) is not None for code in codes)


async def test_a_code_for_another_chat_links_nothing_and_stays() -> None:
    async with open_office() as office:
        made = await office.desk.link_code(office.dana.id, chat="silent")
        elsewhere = ChatIdentity(chat="other", tenant="T01", user="U0DANA001")

        with pytest.raises(NotAuthenticated):
            await office.desk.link(made.code, elsewhere)

        assert await office.desk.link(made.code, MINE) == office.dana


async def test_an_account_belongs_to_one_person_until_that_person_unlinks_it() -> None:
    async with open_office() as office:
        mira = await office.person("mira")
        await _link(office, office.dana.id, MINE)
        hers = await office.desk.link_code(mira.id, chat="silent")

        with pytest.raises(Conflict):
            await office.desk.link(hers.code, MINE)
        assert await office.desk.person_of(MINE) == office.dana

        await office.desk.unlink(office.dana.id, MINE)
        assert await office.desk.person_of(MINE) is None
        # What was refused did not use the code up.
        assert await office.desk.link(hers.code, MINE) == mira


async def test_a_person_may_have_several_accounts_the_newest_first() -> None:
    async with open_office() as office:
        await _link(office, office.dana.id, MINE)
        await _link(office, office.dana.id, OTHER)

        assert await office.identities.of(office.dana.id, "silent") == [OTHER, MINE]


async def test_linking_the_same_account_again_changes_nothing() -> None:
    async with open_office() as office:
        await _link(office, office.dana.id, MINE)
        before = await office.leaf_types()
        await _link(office, office.dana.id, MINE)

        assert (await office.leaf_types())[len(before) :] == ["identity.code_made"]


async def test_nobody_unlinks_what_is_not_theirs() -> None:
    async with open_office() as office:
        mira = await office.person("mira")
        await _link(office, office.dana.id, MINE)

        with pytest.raises(NotFound):
            await office.desk.unlink(mira.id, MINE)
        with pytest.raises(NotFound):
            await office.desk.unlink(office.dana.id, OTHER)
        assert await office.desk.person_of(MINE) == office.dana


async def test_an_admin_makes_a_code_for_nobody_but_themselves() -> None:
    async with open_office() as office:
        mira = await office.person("mira", Role.ADMIN)

        with pytest.raises(NotPermitted):
            await office.linking.code(person_actor(mira.id), office.dana.id, chat="silent")
        await office.linking.code(person_actor(mira.id), mira.id, chat="silent")
        await office.linking.code(OPERATOR, office.dana.id, chat="silent")


async def test_there_is_no_code_for_a_chat_that_is_not_there_or_a_person_that_has_left() -> None:
    async with open_office() as office:
        with pytest.raises(NotFound):
            await office.desk.link_code(office.dana.id, chat="web")
        await office.people.deactivate(OPERATOR, "dana")
        with pytest.raises(NotFound):
            await office.linking.code(OPERATOR, office.dana.id, chat="silent")


async def test_the_account_of_somebody_who_left_counts_for_nothing_and_stays_theirs() -> None:
    async with open_office() as office:
        mira = await office.person("mira")
        await _link(office, office.dana.id, MINE)
        hers = await office.desk.link_code(mira.id, chat="silent")
        await office.people.deactivate(OPERATOR, "dana")

        with pytest.raises(NotAuthenticated):
            await office.desk.person_of(MINE)
        assert await office.identities.person(MINE) is None
        assert await office.identities.of(office.dana.id, "silent") == []
        with pytest.raises(Conflict):
            await office.desk.link(hers.code, MINE)


async def test_one_account_guesses_few_times_and_others_are_not_held_up() -> None:
    async with open_office() as office:
        made = await office.desk.link_code(office.dana.id, chat="silent")
        for n in range(MOST_OF_ONE):
            with pytest.raises(NotAuthenticated, match="not known"):
                await office.desk.link(f"0000-0000-000{n}", OTHER)

        with pytest.raises(NotAuthenticated, match="Too many"):
            await office.desk.link(made.code, OTHER)
        with pytest.raises(NotAuthenticated, match="Too many"):
            await office.desk.whose_code(made.code, by=OTHER)

        assert await office.desk.link(made.code, MINE) == office.dana
        office.clock.advance(WITHIN_S)
        again = await office.desk.link_code(office.dana.id, chat="silent")
        assert await office.desk.link(again.code, OTHER) == office.dana


async def test_all_together_guess_not_often() -> None:
    async with open_office() as office:
        made = await office.desk.link_code(office.dana.id, chat="silent")
        for _ in range(MOST_OF_ALL):
            with pytest.raises(NotAuthenticated, match="not known"):
                await office.desk.whose_code("no code")

        with pytest.raises(NotAuthenticated, match="Too many"):
            await office.desk.link(made.code, MINE)
        office.clock.advance(WITHIN_S)
        again = await office.desk.link_code(office.dana.id, chat="silent")
        assert await office.desk.link(again.code, MINE) == office.dana


async def test_the_log_names_the_person_and_opens_the_account_only_with_its_opening() -> None:
    async with open_office() as office:
        await _link(office, office.dana.id, MINE)
        await office.desk.unlink(office.dana.id, MINE)

        leaves = [leaf for leaf in await office.store.read(Leaves()) if "identity" in leaf.type]
        assert [leaf.type for leaf in leaves] == [
            "identity.code_made",
            "identity.linked",
            "identity.unlinked",
        ]
        assert all(MINE.user.encode() not in leaf.body for leaf in leaves)
        assert json.loads(leaves[1].body)["person"] == office.dana.id
        assert {one.path: one.value for one in leaves[1].openings} == {
            "tenant": MINE.tenant,
            "user": MINE.user,
        }


async def test_erasing_a_person_leaves_none_of_their_accounts() -> None:
    async with open_office() as office:
        mira = await office.person("mira")
        await _link(office, mira.id, MINE)
        await _link(office, office.dana.id, OTHER)
        await office.gate.shelf.put("cards", MINE.user, b"1")

        erased = await Erase(office.gate, office.people).erase(OPERATOR, "mira", reason="Asked.")

        assert erased.identities == 1
        assert await office.desk.person_of(MINE) is None
        assert await office.desk.person_of(OTHER) == office.dana
        assert await office.gate.shelf.get("cards", MINE.user) is None
        assert all(
            opening.value != MINE.user
            for leaf in await office.store.read(Leaves())
            for opening in leaf.openings
        )
        # Whoever comes by that account now may link it anew.
        await _link(office, office.dana.id, MINE)


async def test_an_address_finds_one_active_person_whatever_its_case() -> None:
    async with open_office() as office:
        await office.people.set_email(OPERATOR, "dana", "Dana@Firm.test")

        assert await office.identities.email(office.dana.id) == "Dana@Firm.test"
        assert await office.identities.person_with_email("dANA@firm.TEST") == office.dana.id
        with pytest.raises(Conflict):
            await office.people.create(
                OPERATOR, handle="dan", display_name="Dan", email="dana@firm.test"
            )

        await office.people.deactivate(OPERATOR, "dana")
        assert await office.identities.person_with_email("dana@firm.test") is None
        dan = await office.people.create(
            OPERATOR, handle="dan", display_name="Dan", email="dana@firm.test"
        )
        assert await office.identities.person_with_email("dana@firm.test") == dan.id


async def test_an_address_is_removed_and_never_stands_in_clear_in_the_log() -> None:
    async with open_office() as office:
        await office.people.set_email(OPERATOR, "dana", "dana@firm.test")
        await office.people.set_email(OPERATOR, "dana", None)

        assert await office.identities.email(office.dana.id) is None
        assert await office.identities.person_with_email("dana@firm.test") is None
        assert all(b"firm.test" not in leaf.body for leaf in await office.store.read(Leaves()))


async def test_an_admin_sets_nobody_elses_address() -> None:
    async with open_office() as office:
        mira = await office.person("mira", Role.ADMIN)

        with pytest.raises(NotPermitted):
            await office.people.set_email(person_actor(mira.id), "dana", "mira@firm.test")
        await office.people.set_email(person_actor(mira.id), "mira", "mira@firm.test")


async def test_unlinking_an_account_ends_being_found_by_address() -> None:
    async with open_office() as office:
        await office.people.set_email(OPERATOR, "dana", "dana@firm.test")
        await office.identities.link_by_email(office.dana.id, MINE)

        await office.desk.unlink(office.dana.id, MINE)

        assert await office.identities.email(office.dana.id) is None
        assert await office.identities.person_with_email("dana@firm.test") is None
        assert (await office.leaf_types())[-2:] == ["identity.unlinked", "person.email_set"]


async def test_an_address_that_unlinking_took_away_meanwhile_links_nothing() -> None:
    async with open_office() as office:
        await office.people.set_email(OPERATOR, "dana", "dana@firm.test")
        await office.identities.link_by_email(office.dana.id, MINE)
        found = await office.identities.person_with_email("dana@firm.test")
        assert found is not None
        await office.desk.unlink(office.dana.id, MINE)

        with pytest.raises(NotFound):
            await office.identities.link_by_email(found, MINE)

        assert await office.desk.person_of(MINE) is None


async def test_of_two_people_who_link_one_account_at_once_one_does() -> None:
    async with open_office() as office:
        mira = await office.person("mira")
        codes = [
            (await office.desk.link_code(person, chat="silent")).code
            for person in (office.dana.id, mira.id)
        ]

        came = await asyncio.gather(
            *(office.desk.link(code, MINE) for code in codes), return_exceptions=True
        )

        assert sorted(type(each).__name__ for each in came) == ["Conflict", "Person"]
        assert await office.desk.person_of(MINE) in came


async def test_of_two_accounts_that_redeem_one_code_at_once_one_does() -> None:
    async with open_office() as office:
        code = (await office.desk.link_code(office.dana.id, chat="silent")).code

        came = await asyncio.gather(
            *(office.desk.link(code, account) for account in (MINE, OTHER)),
            return_exceptions=True,
        )

        assert sorted(type(each).__name__ for each in came) == ["NotAuthenticated", "Person"]
        assert len(await office.desk.identities(office.dana.id)) == 1


async def test_an_account_is_linked_by_its_address_to_nobody_else() -> None:
    async with open_office() as office:
        mira = await office.person("mira")
        await office.people.set_email(OPERATOR, "dana", "dana@firm.test")
        await office.people.set_email(OPERATOR, "mira", "mira@firm.test")
        await office.identities.link_by_email(office.dana.id, MINE)

        assert await office.desk.person_of(MINE) == await office.desk.person(office.dana.id)
        with pytest.raises(Conflict):
            await office.identities.link_by_email(mira.id, MINE)
        await office.people.deactivate(OPERATOR, "mira")
        with pytest.raises(NotFound):
            await office.identities.link_by_email(mira.id, OTHER)


async def _link(office: Office, person: str, identity: ChatIdentity) -> None:
    made = await office.linking.code(OPERATOR, person, chat=identity.chat)  # type: ignore[arg-type]
    await office.desk.link(made.code, identity)

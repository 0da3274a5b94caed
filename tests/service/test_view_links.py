"""A link to a full view is for one person, once, and what was read at its end counts everywhere."""

import asyncio
from datetime import timedelta

import pytest

from bot.core.actors import OPERATOR
from bot.core.errors import NotAuthenticated, NotFound
from bot.core.ids import ProposalId
from bot.core.pressed import NotRecorded, Recorded
from bot.core.tokens import TokenKind, spell_token, token_hash, token_kind
from bot.ports.desk import Viewing
from tests.service.office import FOUR_EYES, Office, open_office

LONG = "x" * 20_000


def code_of(url_path: str) -> str:
    prefix, _, code = url_path.rpartition("/")
    assert prefix == "/view"
    return code


async def link(office: Office, proposal: ProposalId) -> str:
    return code_of((await office.desk.view_link(office.dana.id, proposal, chat="teams")).url_path)


async def test_a_link_opens_what_it_was_made_for_once() -> None:
    async with open_office() as office:
        proposal = await office.propose()
        made = await office.desk.view_link(office.dana.id, proposal.id, chat="teams")
        assert made.expires_at == office.clock.now() + timedelta(minutes=10)
        code = code_of(made.url_path)
        assert code not in repr(made)
        assert token_kind(code) is TokenKind.VIEW
        assert await office.desk.open_view(code) == Viewing(
            person=office.dana.id, proposal=proposal.id, chat="teams"
        )
        with pytest.raises(NotAuthenticated) as refused:
            await office.desk.open_view(code)
        assert "card in the chat" in refused.value.remedy


async def test_of_many_at_once_one_opens_it() -> None:
    async with open_office() as office:
        code = await link(office, (await office.propose()).id)
        opened = await asyncio.gather(
            *(office.desk.open_view(code) for _ in range(32)), return_exceptions=True
        )
        assert sum(isinstance(one, Viewing) for one in opened) == 1
        assert sum(isinstance(one, NotAuthenticated) for one in opened) == 31


async def test_only_its_hash_is_kept_and_not_for_long() -> None:
    async with open_office() as office:
        code = await link(office, (await office.propose()).id)
        (item,) = await office.gate.shelf.list("view_link")
        assert item.key == token_hash(code)
        assert code.encode() not in item.value
        office.clock.advance(600)
        with pytest.raises(NotAuthenticated):
            await office.desk.open_view(code)
        assert await office.gate.shelf.list("view_link") == []


@pytest.mark.parametrize("kind", list(TokenKind))
async def test_no_other_token_opens_anything(kind: TokenKind) -> None:
    async with open_office() as office:
        with pytest.raises(NotAuthenticated):
            await office.desk.open_view(spell_token(kind, b"v" * 24))
        with pytest.raises(NotAuthenticated):
            await office.desk.open_view((await office.sign_in.link(OPERATOR, office.dana.id)).code)
        signed_in = await link(office, (await office.propose()).id)
        with pytest.raises(NotAuthenticated):
            await office.desk.sign_in(signed_in)


async def test_a_link_is_made_for_those_alone_who_may_see_it() -> None:
    async with open_office() as office:
        proposal = await office.propose()
        mira = await office.person("mira")
        with pytest.raises(NotFound):
            await office.desk.view_link(mira.id, proposal.id, chat="teams")
        with pytest.raises(NotFound):
            await office.desk.view_link(office.dana.id, ProposalId("prp_" + "0" * 26), chat="teams")
        assert await office.gate.shelf.list("view_link") == []


async def test_who_may_see_it_no_longer_opens_nothing() -> None:
    async with open_office(policy=FOUR_EYES) as office:
        ann = await office.person("ann")
        office.groups.members_of["security"] = frozenset({ann.id})
        proposal = await office.propose()
        made = await office.desk.view_link(ann.id, proposal.id, chat="teams")
        office.groups.members_of["security"] = frozenset()
        with pytest.raises(NotFound):
            await office.desk.open_view(code_of(made.url_path))


async def test_who_is_no_longer_active_opens_nothing() -> None:
    async with open_office() as office:
        code = await link(office, (await office.propose()).id)
        await office.people.deactivate(OPERATOR, office.dana.id)
        with pytest.raises(NotAuthenticated):
            await office.desk.open_view(code)


async def test_making_and_opening_a_link_decides_and_records_nothing() -> None:
    async with open_office() as office:
        proposal = await office.propose(LONG)
        await office.until_delivered(proposal.id)
        before = await office.leaf_types(proposal.id)
        await office.desk.open_view(await link(office, proposal.id))
        assert await office.leaf_types(proposal.id) == before
        refused = await office.press(proposal)
        assert isinstance(refused, NotRecorded)
        assert refused.code == "full_view_first"


async def test_what_was_read_elsewhere_may_be_approved_on_the_card() -> None:
    async with open_office() as office:
        proposal = await office.propose(LONG)
        viewing = await office.desk.open_view(await link(office, proposal.id))
        await office.desk.viewed(viewing.person, viewing.proposal, chat=viewing.chat)
        (view,) = (await office.now(proposal.id)).views
        assert (view.person, view.chat) == (office.dana.id, "teams")
        assert isinstance(await office.press(proposal), Recorded)

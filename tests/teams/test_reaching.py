"""The way to a person: the chat that is known, else one that is begun, else after installing."""

from collections.abc import AsyncIterator

import pytest

from adapters.teams.references import References, Standing
from adapters.teams.testing import Account, FakeTeams, Trouble
from bot.core.actors import Person
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.testing.chat import Play
from tests.teams.stage import TeamsSeat, TeamsStage, stage_of

CATALOG_APP = "ca7a1060-0000-4000-8000-0000000000a9"


@pytest.fixture
async def stage() -> AsyncIterator[TeamsStage]:
    async with stage_of(call_s=1.5) as stage:
        yield stage


@pytest.fixture
async def installing() -> AsyncIterator[TeamsStage]:
    """Return a stage whose admin lets the app be installed for people."""

    def add_to_catalog(teams: FakeTeams) -> None:
        teams.graph.catalog[CATALOG_APP] = {"externalId": teams.issuer.app_id}

    async with stage_of(
        prepare=add_to_catalog, install_for_people=True, catalog_app_id=CATALOG_APP, call_s=1.5
    ) as stage:
        yield stage


def hire(stage: TeamsStage, person: Person, *, is_installed: bool = False) -> TeamsSeat:
    """Give *person* an account in Teams, with the app in it or not."""
    account = stage.teams.add_account(person.display_name, is_installed=is_installed)
    stage.link(person.id, account)
    return stage.sit(account)


async def reference(stage: TeamsStage, account: Account) -> Standing | None:
    found = await References(stage.shelf).of(account.tenant, account.user)
    return None if found is None else found.standing


def operations(stage: TeamsStage) -> list[str]:
    return [call.operation for call in stage.teams.calls]


async def test_who_was_never_met_is_reached_by_their_object_id(stage: TeamsStage) -> None:
    play = Play(stage)
    seat = hire(stage, play.dana, is_installed=True)
    await play.post(play.proposal(1))
    (asked,) = stage.teams.called("create")
    assert asked.body["members"] == [{"id": seat.hand.account.user}]
    assert asked.body["channelData"] == {"tenant": {"id": stage.teams.tenant}}
    assert asked.body["bot"] == {"id": stage.teams.bot}
    assert len(await seat.cards()) == 1


async def test_who_has_spoken_is_reached_where_they_spoke(stage: TeamsStage) -> None:
    play = Play(stage)
    seat = hire(stage, play.dana)
    await seat.hand.install()
    await play.post(play.proposal(1))
    assert operations(stage) == ["member", "send"]
    (sent,) = stage.teams.called("send")
    assert sent.body["recipient"] == {"id": seat.hand.account.mri}


async def test_a_chat_that_was_begun_is_not_begun_again(stage: TeamsStage) -> None:
    play = Play(stage)
    hire(stage, play.dana, is_installed=True)
    await play.post(play.proposal(1))
    await play.post(play.proposal(2))
    assert operations(stage) == ["create", "member", "send", "send"]


async def test_a_card_is_one_attachment_alone_with_our_words_beside_it(stage: TeamsStage) -> None:
    play = Play(stage)
    hire(stage, play.dana, is_installed=True)
    await play.post(play.proposal(1))
    (sent,) = stage.teams.called("send")
    assert len(sent.body["attachments"]) == 1
    assert "text" not in sent.body
    assert sent.body["summary"] == "Keyturn: an agent asks for your approval."
    assert sent.body["channelData"]["notification"] == {"alert": True}


async def test_who_has_not_the_app_is_not_reached(stage: TeamsStage) -> None:
    play = Play(stage)
    hire(stage, play.dana)
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "not_installed"
    assert "Install it" in str(told.value)
    assert stage.teams.called("graph.install") == []


async def test_who_has_no_account_here_is_not_reached(stage: TeamsStage) -> None:
    play = Play(stage)
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "not_linked"
    assert "web inbox" in str(told.value)
    assert operations(stage) == []


async def test_an_account_of_an_organisation_that_is_named_no_more_is_not_asked(
    stage: TeamsStage,
) -> None:
    play = Play(stage)
    elsewhere = "5e1f0000-0000-4000-8000-00000000e15e"
    stage.link(play.dana.id, stage.teams.add_account("Dana", tenant=elsewhere))
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "account_refused"
    assert operations(stage) == []


@pytest.mark.parametrize("role", ["guest", "anonymous", "bot", ""])
async def test_who_may_not_decide_is_not_shown_what_is_to_be_decided(
    stage: TeamsStage, role: str
) -> None:
    play = Play(stage)
    stage.link(play.dana.id, stage.teams.add_account("Dana", role=role))
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "account_refused"
    assert stage.teams.called("send") == []


async def test_of_two_accounts_the_one_that_may_still_decide_is_shown_the_card(
    stage: TeamsStage,
) -> None:
    play = Play(stage)
    seat = hire(stage, play.dana, is_installed=True)
    stage.link(play.dana.id, stage.teams.add_account("Dana", role="guest"))
    await play.post(play.proposal(1))
    assert [card.proposal for card in await seat.cards()] == [play.proposal(1).id]


async def test_a_chat_that_teams_has_forgotten_is_begun_anew(stage: TeamsStage) -> None:
    play = Play(stage)
    seat = hire(stage, play.dana, is_installed=True)
    await play.post(play.proposal(1))
    del stage.teams.world.chats[seat.hand.chat.id]
    await play.post(play.proposal(2))
    assert operations(stage)[3:] == ["send", "create", "send"]
    assert [card.proposal for card in await seat.cards()] == [play.proposal(2).id]
    assert await reference(stage, seat.hand.account) is Standing.HERE


async def test_a_reference_that_cannot_be_read_is_replaced(stage: TeamsStage) -> None:
    play = Play(stage)
    hire(stage, play.dana, is_installed=True)
    await play.post(play.proposal(1))
    stage.teams.faults.refuse(
        "send", 403, "BadArgument", message="Failed to decrypt conversation id"
    )
    await play.post(play.proposal(2))
    assert operations(stage)[3:] == ["send", "create", "send"]


async def test_an_address_that_is_admitted_no_more_gets_no_token(stage: TeamsStage) -> None:
    play = Play(stage)
    seat = hire(stage, play.dana, is_installed=True)
    await seat.hand.install()
    known = await References(stage.shelf).of(stage.teams.tenant, seat.hand.account.user)
    assert known is not None
    item = await stage.shelf.get("teams_chat", f"{known.chat.tenant}/{known.chat.user}")
    assert item is not None
    forged = item.value.replace(stage.teams.service_url.encode(), b"https://evil.example.net/")
    await stage.shelf.put("teams_chat", item.key, forged)
    await play.post(play.proposal(1))
    # Asked where the settings say, and sent there.
    assert operations(stage) == ["create", "member", "send"]


async def test_the_app_is_installed_for_who_has_it_not(installing: TeamsStage) -> None:
    play = Play(installing)
    seat = hire(installing, play.dana)
    await play.post(play.proposal(1))
    assert operations(installing) == ["create", "graph.install", "create", "member", "send"]
    (asked,) = installing.teams.called("graph.install")
    assert asked.path == f"/v1.0/users/{seat.hand.account.user}/teamwork/installedApps"
    assert len(await seat.cards()) == 1


async def test_what_is_lost_of_the_app_is_installed_again(installing: TeamsStage) -> None:
    play = Play(installing)
    seat = hire(installing, play.dana)
    await seat.hand.install()
    await play.post(play.proposal(1))
    await seat.hand.uninstall(is_told=False)
    await play.post(play.proposal(2))
    assert len(await seat.cards()) == 2


async def test_installing_is_tried_once_a_day(installing: TeamsStage) -> None:
    play = Play(installing)
    seat = hire(installing, play.dana)
    await play.post(play.proposal(1))
    await seat.hand.uninstall(is_told=False)
    for number in (2, 3):
        with pytest.raises(Undeliverable) as told:
            await play.post(play.proposal(number))
        assert told.value.reason == "not_installed"
    assert len(installing.teams.called("graph.install")) == 1
    installing.clock.advance(86_401)
    await play.post(play.proposal(4))
    assert len(installing.teams.called("graph.install")) == 2


async def test_what_graph_refuses_leaves_the_person_unreached(installing: TeamsStage) -> None:
    installing.teams.graph.may_install = False
    play = Play(installing)
    hire(installing, play.dana)
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "not_installed"


@pytest.mark.parametrize("trouble", [Trouble.THROTTLED, Trouble.FAILED_BEFORE])
async def test_what_graph_does_not_answer_is_asked_again(
    installing: TeamsStage, trouble: Trouble
) -> None:
    play = Play(installing)
    seat = hire(installing, play.dana)
    installing.teams.faults.plant("graph.install", trouble)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    await play.post(play.proposal(1))
    assert len(await seat.cards()) == 1


async def test_who_has_removed_the_app_is_left_alone(installing: TeamsStage) -> None:
    play = Play(installing)
    seat = hire(installing, play.dana)
    await seat.hand.install()
    await seat.hand.uninstall()
    # What is sent might still arrive: Teams is not asked at all.
    installing.teams.world.chats[seat.hand.chat.id].has_bot = True
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "not_installed"
    assert operations(installing) == []


async def test_who_removes_the_app_is_asked_elsewhere_what_waits_there(stage: TeamsStage) -> None:
    play = Play(stage)
    seat = hire(stage, play.dana, is_installed=True)
    ref = await play.post(play.proposal(1))
    await seat.hand.uninstall()
    ((chat, under),) = [what for name, what in stage.desk.journal if name == "cards_lost"]
    assert chat == "teams"
    assert ref.where.startswith(under)
    with pytest.raises(Undeliverable):
        await play.post(play.proposal(1))


async def test_who_adds_the_app_again_has_the_cards_of_before(stage: TeamsStage) -> None:
    play = Play(stage)
    seat = hire(stage, play.dana, is_installed=True)
    ref = await play.post(play.proposal(1))
    await seat.hand.uninstall()
    await seat.hand.install()
    assert await play.post(play.proposal(1)) == ref
    await play.post(play.proposal(2))
    assert len(await seat.cards()) == 2


async def test_who_speaks_is_known_by_the_address_that_teams_names_now(stage: TeamsStage) -> None:
    play = Play(stage)
    seat = hire(stage, play.dana, is_installed=True)
    await seat.hand.install()
    moved = seat.hand.activity("message", text="pending") | {
        "serviceUrl": stage.teams.service_url.replace("127.0.0.1", "localhost")
    }
    await stage.teams.deliveries.deliver(moved)
    known = await References(stage.shelf).of(stage.teams.tenant, seat.hand.account.user)
    assert known is not None
    assert known.chat.service_url == moved["serviceUrl"]


async def test_what_is_written_in_a_group_does_not_make_it_a_personal_chat(
    stage: TeamsStage,
) -> None:
    play = Play(stage)
    seat = hire(stage, play.dana, is_installed=True)
    group = stage.teams.world.add_chat(
        "groupChat", tenant=stage.teams.tenant, members={seat.hand.account.user}
    )
    await seat.hand.type("pending", chat=group)
    await play.post(play.proposal(1))
    assert [one for one in stage.teams.world.activities if one.chat == group.id] == []
    assert len(await seat.cards()) == 1

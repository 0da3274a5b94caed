"""Accounts in chats and channels, over the admin API: who may do what, and what is recorded."""

import pytest

from bot.core.actors import Role
from bot.core.identity import ChatIdentity
from bot.http import admin_account_models as m
from bot.http import admin_answers
from tests.http.served import Served
from tests.http.test_admin import is_a, last_leaf

MINE = ChatIdentity(chat="silent", tenant="T1", user="U1")
ROUTE = {"chat": "silent", "place": "C1", "place_name": "#ops", "topics": ["halt", "digest"]}


async def test_an_admin_makes_a_link_code_for_themselves_alone(served: Served) -> None:
    token = await served.admin_token(Role.ADMIN)
    made = is_a(
        m.LinkCodeAnswer,
        await served.as_admin(
            "POST", "/v1/admin/people/ada/link-code", token, body={"chat": "silent"}
        ),
        201,
    )
    assert (await served.office.desk.link(made["code"], MINE)).handle == "ada"

    before = await served.remains()
    refused = await served.as_admin(
        "POST", "/v1/admin/people/dana/link-code", token, body={"chat": "silent"}
    )
    assert (refused.status, refused.code) == (403, "not_permitted")
    assert await served.remains() == before


async def test_linked_accounts_are_listed_and_unlinked(served: Served) -> None:
    token = await served.admin_token(Role.ADMIN)
    made = await served.office.desk.link_code(served.office.dana.id, chat="silent")
    await served.office.desk.link(made.code, MINE)
    path = "/v1/admin/people/dana/identities"

    listed = is_a(m.IdentitiesAnswer, await served.as_admin("GET", path, token))
    assert [(one["user"], one["by"]) for one in listed["identities"]] == [("U1", "code")]

    body = {"chat": "silent", "tenant": "T1", "user": "U1"}
    left = is_a(
        m.IdentitiesAnswer, await served.as_admin("POST", f"{path}/unlink", token, body=body)
    )
    assert left["identities"] == []
    assert (await last_leaf(served))["type"] == "identity.unlinked"
    again = await served.as_admin("POST", f"{path}/unlink", token, body=body)
    assert (again.status, again.code) == (404, "not_found")


async def test_an_address_is_given_at_the_beginning_and_is_taken_once(served: Served) -> None:
    token = await served.admin_token(Role.ADMIN)
    body = {"handle": "noor", "display_name": "Noor", "email": "Noor@Firm.test"}
    made = is_a(
        admin_answers.PersonAnswer,
        await served.as_admin("POST", "/v1/admin/people", token, body=body),
        201,
    )
    assert made["email"] == "Noor@Firm.test"

    taken = await served.as_admin(
        "PUT", "/v1/admin/people/ada/email", token, body={"email": "noor@firm.TEST"}
    )
    assert (taken.status, taken.code) == (409, "conflict")
    own = await served.as_admin(
        "PUT", "/v1/admin/people/ada/email", token, body={"email": "ada@firm.test"}
    )
    assert is_a(admin_answers.PersonAnswer, own)["email"] == "ada@firm.test"
    other = await served.as_admin("PUT", "/v1/admin/people/noor/email", token, body={"email": None})
    assert (other.status, other.code) == (403, "not_permitted")


async def test_channels_are_set_listed_and_ended(served: Served) -> None:
    token = await served.admin_token(Role.ADMIN)
    path = "/v1/admin/notice-routes"

    route = is_a(m.NoticeRouteAnswer, await served.as_admin("PUT", path, token, body=ROUTE))
    assert route["topics"] == ["digest", "halt"]
    assert (await last_leaf(served))["type"] == "notice_route.set"
    listed = is_a(m.NoticeRoutesAnswer, await served.as_admin("GET", path, token))
    assert listed["notice_routes"] == [route]

    is_a(m.NoticeRouteAnswer, await served.as_admin("DELETE", f"{path}/{route['id']}", token))
    again = await served.as_admin("DELETE", f"{path}/{route['id']}", token)
    assert (again.status, again.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"topics": []}, 422),
        ({"topics": ["everything"]}, 422),
        ({"agents": ["a b"]}, 422),
        ({"chat": "nowhere"}, 404),
    ],
    ids=str,
)
async def test_a_channel_that_can_be_none_is_refused(
    served: Served, wrong: dict[str, object], status: int
) -> None:
    token = await served.admin_token(Role.ADMIN)
    before = await served.remains()
    reply = await served.as_admin("PUT", "/v1/admin/notice-routes", token, body=ROUTE | wrong)
    assert reply.status == status, reply.raw
    assert await served.remains() == before

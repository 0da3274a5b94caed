"""The routes of the admin API about people's accounts in chats, and about where notices go."""

from typing import Any

from bot.core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from bot.http import admin_account_models as m
from bot.http.admin_accounts import (
    create_link_code,
    end_notice_route,
    list_identities,
    list_notice_routes,
    set_email,
    set_notice_route,
    unlink_identity,
)
from bot.http.admin_answers import PersonAnswer
from bot.http.admin_route import changes, path_parameter, reads
from bot.http.routes import Route

_PERSON = path_parameter("person", "The person's id or handle.")

ACCOUNT_ROUTES: tuple[Route[Any], ...] = (
    changes(
        "PUT",
        "/v1/admin/people/{person}/email",
        set_email,
        "Set or remove the address by which chats find a person: one's own, or the operator's work",
        PersonAnswer,
        _PERSON,
        body=m.EmailBody,
        problems=(NotPermitted, NotFound, Conflict),
    ),
    changes(
        "POST",
        "/v1/admin/people/{person}/link-code",
        create_link_code,
        "Make a code that links an account in a chat to this person, once; shown this once",
        m.LinkCodeAnswer,
        _PERSON,
        body=m.LinkCodeBody,
        status=201,
        problems=(NotPermitted, NotFound),
    ),
    reads(
        "/v1/admin/people/{person}/identities",
        list_identities,
        "List the accounts in chats that are linked to a person",
        m.IdentitiesAnswer,
        _PERSON,
        problems=(NotFound,),
    ),
    changes(
        "POST",
        "/v1/admin/people/{person}/identities/unlink",
        unlink_identity,
        "Part an account in a chat from a person",
        m.IdentitiesAnswer,
        _PERSON,
        body=m.IdentityBody,
        problems=(NotFound,),
    ),
    reads(
        "/v1/admin/notice-routes",
        list_notice_routes,
        "List the channels that are told what happens",
        m.NoticeRoutesAnswer,
    ),
    changes(
        "PUT",
        "/v1/admin/notice-routes",
        set_notice_route,
        "Tell a channel what happens, in place of what it was told until now",
        m.NoticeRouteAnswer,
        body=m.NoticeRouteBody,
        problems=(NotFound, InvalidInput),
    ),
    changes(
        "DELETE",
        "/v1/admin/notice-routes/{id}",
        end_notice_route,
        "Tell a channel nothing any more",
        m.NoticeRouteAnswer,
        path_parameter("id", "The route."),
        problems=(NotFound,),
    ),
)

"""What people are shown: every recipient, who is outside, and every attachment."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.words import REACH
from bot.core.canonical import canonical
from bot.core.errors import InvalidInput, TooLarge
from bot.core.proposal import Action
from bot.core.secret_scan import find_secrets
from bot.core.untrusted import Oddity, Untrusted, suspicious_hosts
from bot.core.verbs import Audience, Facts, Reach
from tests.connectors.smtp.sections import attachment, connect, mail, section

CONNECTOR = connect(section())
SCHEMA = CONNECTOR.verbs["mail.send"].params_schema
PDF = attachment("report.pdf", "application/pdf", b"%PDF" * 1000)


async def audience(**params: Any) -> Audience:
    return (await CONNECTOR.inspect(mail(**params))).audience


async def test_a_mail_that_stays_inside_says_who_gets_it() -> None:
    assert await audience(to=["ana@example.org"], cc=["li@Example.ORG"]) == Audience(
        reach=Reach.ORGANISATION,
        who="2 addresses inside example.org: ana@example.org, li@example.org",
    )


async def test_those_outside_are_named_first() -> None:
    assert await audience(to=["ana@example.org"], bcc=["x@other.example"]) == Audience(
        reach=Reach.OUTSIDE,
        who="1 address outside example.org: x@other.example; and 1 inside: ana@example.org",
    )


@pytest.mark.parametrize(
    "address",
    ["x@sub.example.org", "x@example.org.evil.example", "x@xexample.org", "x@exаmple.org"],
)
async def test_a_domain_that_only_resembles_an_own_one_is_outside(address: str) -> None:
    assert (await audience(to=[address])).reach is Reach.OUTSIDE


async def test_a_domain_beyond_ascii_is_shown_as_the_dns_has_it_and_warned_of() -> None:
    seen = await audience(to=["li@bücher.example"])
    assert "li@xn--bcher-kva.example" in seen.who
    findings = suspicious_hosts(Untrusted('{"to": ["li@bücher.example"]}'))
    assert [one.oddity for one in findings] == [Oddity.ENCODED_HOST]


async def test_a_further_recipient_is_wider_than_what_was_shown() -> None:
    shown = await audience(to=["ana@example.org"])
    assert (await audience(to=["ana@example.org", "li@example.org"])).is_wider_than(shown)
    assert (await audience(to=["x@other.example"])).is_wider_than(shown)
    assert not (await audience(to=["ana@example.org"])).is_wider_than(shown)


def test_reach_grows_from_one_person_to_everybody() -> None:
    reaches = [Reach.PRIVATE, Reach.ORGANISATION, Reach.OUTSIDE, Reach.PUBLIC, Reach.UNKNOWN]
    assert list(Reach) == reaches
    for narrow, wide in pairwise(reaches):
        assert Audience(reach=wide).is_wider_than(Audience(reach=narrow))
        assert not Audience(reach=narrow).is_wider_than(Audience(reach=wide))


def test_the_inbox_has_words_for_every_reach() -> None:
    assert set(REACH) == set(Reach)


@pytest.mark.parametrize(
    ("params", "effect"),
    [
        ({}, "Send an e-mail to 1 address"),
        ({"to": ["x@other.example"]}, "Send an e-mail to 1 address outside example.org"),
        (
            {"to": ["x@other.example", "y@sub.example.org"]},
            "Send an e-mail to 2 addresses, all of them outside example.org",
        ),
        (
            {"cc": ["li@example.org"], "bcc": ["x@other.example"], "attachments": [PDF]},
            "Send an e-mail to 3 addresses, 1 of them outside example.org, with 1 attachment",
        ),
    ],
)
def test_the_effect_counts_whom_it_goes_to(params: dict[str, Any], effect: str) -> None:
    assert CONNECTOR.preview(mail(**params), Facts()).effect == effect


def test_every_recipient_and_attachment_is_named() -> None:
    preview = CONNECTOR.preview(
        mail(cc=["li@example.org"], bcc=["x@other.example"], attachments=[PDF]), Facts()
    )
    assert preview.target == (
        "From agent@example.org. To ana@example.org. Cc li@example.org. Bcc x@other.example. "
        f"Attached “report.pdf” (application/pdf, 4,000 bytes, SHA-256 {PDF['sha256']})"
    )
    assert preview.reversible == "It cannot be taken back once it is sent."


def test_the_digest_shown_is_that_of_the_content_and_not_what_was_claimed() -> None:
    lying = mail(attachments=[{**PDF, "sha256": "0" * 64}])
    target = CONNECTOR.preview(lying, Facts()).target
    assert "0" * 64 not in target
    assert str(PDF["sha256"]) in target


def test_two_own_domains_are_both_named() -> None:
    connector = connect(section(own_domains=["example.org", "example.net"]))
    preview = connector.preview(mail(to=["a@example.net", "x@other.example"]), Facts())
    assert preview.effect.endswith("1 of them outside example.org or example.net")


def test_an_attachment_is_not_taken_for_a_secret() -> None:
    params = mail(attachments=[attachment("a.bin", "image/png", bytes(range(256)) * 40)]).params
    assert list(find_secrets(params, schema=SCHEMA)) == []


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ANY_PARAMS = st.fixed_dictionaries(
    {
        "to": st.lists(ANY_TEXT | st.just("a@b"), max_size=3),
        "subject": ANY_TEXT,
        "text": ANY_TEXT,
    },
    optional={
        "bcc": st.lists(ANY_TEXT, max_size=2),
        "attachments": st.lists(
            st.fixed_dictionaries(
                {
                    "name": ANY_TEXT,
                    "type": ANY_TEXT,
                    "sha256": ANY_TEXT,
                    "content_base64": ANY_TEXT | st.just("AAAA"),
                }
            ),
            max_size=2,
        ),
    },
)


@given(params=ANY_PARAMS, resource=ANY_TEXT)
def test_a_preview_is_pure_and_total(params: dict[str, Any], resource: str) -> None:
    action = Action(verb="mail.send", resource=resource, params=params)
    kept = canonical(params)
    first = CONNECTOR.preview(action, Facts())
    assert first == CONNECTOR.preview(action, Facts())
    assert "\n" not in first.effect + first.target
    assert canonical(params) == kept
    canonical({"after": first.after})


def test_the_schema_is_closed_and_takes_what_the_connector_takes() -> None:
    full = mail(cc=["a@example.org"], attachments=[PDF], in_reply_to="<a@b>", references=["<a@b>"])
    assert jsonschema_rs.is_valid(dict(SCHEMA), dict(full.params))
    assert not jsonschema_rs.is_valid(dict(SCHEMA), {**full.params, "html": "x"})
    assert not jsonschema_rs.is_valid(dict(SCHEMA), {**full.params, "to": ["a@b\r\nX: y"]})


async def test_what_cannot_be_sent_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(InvalidInput):
        await CONNECTOR.inspect(replace(mail(), resource="mail:ceo@example.org"))
    small = connect(section(max_message_bytes=2048))
    with pytest.raises(TooLarge):
        await small.inspect(mail(text="x" * 3000))

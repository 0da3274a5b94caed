"""Only what Slack signed, now and once, gets further than the door; the rest learns nothing."""

import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlencode

import pytest

from adapters.slack.pressable import ActionId
from adapters.slack.testing import Kind, Message, Mode, encoded, sign
from adapters.slack.transport_http import MAX_AGE_S, MAX_BYTES, Unproven, Verifier
from bot.testing.chat import Play
from tests.slack.stage import SlackStage, stage_of

FORM = "application/x-www-form-urlencoded"
Bend = Callable[[bytes, dict[str, str]], tuple[bytes, dict[str, str]]]


@pytest.fixture
async def stage() -> AsyncIterator[SlackStage]:
    async with stage_of(Mode.HTTP) as stage:
        stage.identities.enroll = stage.enroll
        yield stage


async def card_of(stage: SlackStage) -> tuple[Play, Message]:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    return play, seat.card(play.proposal(1).id)


async def a_click(stage: SlackStage) -> tuple[bytes, dict[str, str]]:
    """Return the body of a good click on a card, and its headers."""
    play, card = await card_of(stage)
    seat = await stage.seat(play.dana.id)
    body, content_type = encoded(Kind.INTERACTIVE, seat.hand.pressing(card, ActionId.APPROVE))
    headers = sign(stage.slack.signing_secret, body, timestamp=int(time.time()))
    return body, {**headers, "Content-Type": content_type}


def signed(stage: SlackStage, body: bytes, content_type: str, *, age_s: int = 0) -> dict[str, str]:
    headers = sign(stage.slack.signing_secret, body, timestamp=int(time.time()) - age_s)
    return {**headers, "Content-Type": content_type}


def without(*names: str) -> Bend:
    return lambda body, headers: (body, {k: v for k, v in headers.items() if k not in names})


def with_header(name: str, value: str) -> Bend:
    return lambda body, headers: (body, {**headers, name: value})


UNPROVEN: dict[str, Bend] = {
    "unsigned": without("X-Slack-Signature", "X-Slack-Request-Timestamp"),
    "without a signature": without("X-Slack-Signature"),
    "without a time": without("X-Slack-Request-Timestamp"),
    "with an empty signature": with_header("X-Slack-Signature", ""),
    "with another signature": with_header("X-Slack-Signature", "v0=" + "0" * 64),
    "with a signature in other letters": with_header("X-Slack-Signature", "v0=\u00e9"),
    "with a time that is no number": with_header("X-Slack-Request-Timestamp", "soon"),
    "with a time in other digits": with_header("X-Slack-Request-Timestamp", "1\u0667"),
    "with a negative time": with_header("X-Slack-Request-Timestamp", "-1"),
    "with an endless time": with_header("X-Slack-Request-Timestamp", "9" * 4000),
    "with one byte more": lambda body, headers: (body + b"&", headers),
    "with one byte changed": lambda body, headers: (body.replace(b"v1.", b"v2."), headers),
    "encoded anew": lambda body, headers: (body.replace(b"+", b"%20"), headers),
    "as other bytes of the same text": lambda body, headers: (
        body.replace(b"%7B", b"%7b"),
        headers,
    ),
}


@pytest.mark.parametrize("bend", UNPROVEN.values(), ids=UNPROVEN)
async def test_what_is_not_proven_is_refused_and_moves_nothing(
    stage: SlackStage, bend: Bend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body, headers = await a_click(stage)
    sent, bent = bend(body, headers)
    assert (sent, bent) != (body, headers)
    caplog.clear()
    status, text = await stage.slack.http.send(sent, bent)
    assert (status, text) == (401, "Unauthorized\n")
    assert stage.desk.clicks == []
    assert_nothing_secret(stage, caplog, headers)


@pytest.mark.parametrize("age_s", [MAX_AGE_S + 5, -MAX_AGE_S - 5])
async def test_what_was_signed_at_another_time_is_refused(stage: SlackStage, age_s: int) -> None:
    body, headers = await a_click(stage)
    old = signed(stage, body, headers["Content-Type"], age_s=age_s)
    status, _ = await stage.slack.http.send(body, old)
    assert status == 401
    assert stage.desk.clicks == []


async def test_what_was_signed_a_little_ago_is_taken(stage: SlackStage) -> None:
    body, headers = await a_click(stage)
    old = signed(stage, body, headers["Content-Type"], age_s=MAX_AGE_S - 20)
    status, _ = await stage.slack.http.send(body, old)
    assert status == 200
    assert len(stage.desk.clicks) == 1


async def test_a_request_is_taken_once(stage: SlackStage) -> None:
    body, headers = await a_click(stage)
    first, _ = await stage.slack.http.send(body, headers)
    again, text = await stage.slack.http.send(body, headers)
    assert (first, again, text) == (200, 401, "Unauthorized\n")
    assert len(stage.desk.clicks) == 1


MALFORMED = {
    "nothing": (b"", FORM),
    "no JSON": (b"payload=%7Bnot+json", FORM),
    "JSON that is no object": (b"payload=%5B1%2C2%5D", FORM),
    "a payload twice": (b"payload=%7B%7D&payload=%7B%7D", FORM),
    "text that is no UTF-8": (b"payload=\xff\xfe", FORM),
    "depth without end": (b"payload=" + b"%5B" * 100_000, FORM),
    "depth in JSON": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "application/json"),
    "JSON cut short": (b'{"type": "event_callback", "event"', "application/json"),
    "a list": (b"[]", "application/json"),
    "XML": (b"<a/>", "text/xml"),
    "no type": (b"payload=%7B%7D", ""),
    "fields without end": (b"&".join(b"a%d=1" % n for n in range(2000)), FORM),
}


@pytest.mark.parametrize(("body", "content_type"), MALFORMED.values(), ids=MALFORMED)
async def test_what_cannot_be_read_is_refused_without_a_trace(
    stage: SlackStage, body: bytes, content_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, text = await stage.slack.http.send(body, signed(stage, body, content_type or "a/b"))
    assert (status, text) == (400, "Bad Request\n")
    assert "Traceback" not in caplog.text
    unsigned, _ = await stage.slack.http.send(body, {"Content-Type": content_type or "a/b"})
    assert unsigned == 401


ODD = {
    "an unknown kind": {"type": "something_new"},
    "a click without actions": {"type": "block_actions", "user": {"id": "U1"}, "actions": []},
    "a click by nobody": {"type": "block_actions", "actions": [{"action_id": "keyturn.approve"}]},
    "a modal without a view": {"type": "view_submission", "user": {"id": "U012345"}},
    "a click with numbers for text": {"type": "block_actions", "user": {"id": 1}, "actions": 3},
    "nothing at all": {},
}


@pytest.mark.parametrize("payload", ODD.values(), ids=ODD)
async def test_what_is_signed_and_odd_is_answered_without_a_trace(
    stage: SlackStage, payload: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    body = urlencode({"payload": json.dumps(payload)}).encode()
    status, text = await stage.slack.http.send(body, signed(stage, body, FORM))
    assert status in {200, 404}
    assert "Traceback" not in text + caplog.text
    assert stage.desk.clicks == []


async def test_more_than_slack_sends_is_refused_before_it_is_read(stage: SlackStage) -> None:
    body = b"payload=" + b"x" * MAX_BYTES
    status, _ = await stage.slack.http.send(body, signed(stage, body, FORM))
    assert status == 413


async def test_slack_is_told_that_the_address_is_ours(stage: SlackStage) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c-17"}).encode()
    unsigned, _ = await stage.slack.http.send(body, {"Content-Type": "application/json"})
    status, text = await stage.slack.http.send(body, signed(stage, body, "application/json"))
    assert (unsigned, status) == (401, 200)
    assert json.loads(text) == {"challenge": "c-17"}


def test_without_a_secret_nothing_is_verified() -> None:
    with pytest.raises(ValueError, match="empty"):
        Verifier("")


def test_a_signature_is_remembered_for_longer_than_it_is_good() -> None:
    now = 1_000_000.0
    verifier = Verifier("s" * 32, now=lambda: now)
    headers = sign("s" * 32, b"{}", timestamp=int(now) + MAX_AGE_S)
    verifier.check(headers, b"{}")
    now += 2 * MAX_AGE_S
    with pytest.raises(Unproven, match="replayed"):
        verifier.check(headers, b"{}")


def assert_nothing_secret(
    stage: SlackStage, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    slack = stage.slack
    said = "\n".join([caplog.text, *(str(record.__dict__) for record in caplog.records)])
    assert "Traceback" not in said
    for secret in (slack.signing_secret, slack.bot_token, headers["X-Slack-Signature"], "v1.prp_"):
        assert secret not in said

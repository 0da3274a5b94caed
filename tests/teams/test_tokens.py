"""Only what the Bot Connector signed for this bot, in Teams, by people of ours, gets further.

Over real HTTP, against the SDK's production validation: the issuer is the only thing that is ours.
"""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.teams.testing.issuer import APP_ID, TENANT, Issuer, encoded, signing_input
from adapters.teams.transport import NotGenuine
from tests.teams.listener import SERVICE_URL, Json, Listener, activity, listening, pair_of

Case = Callable[[Issuer, Json], tuple[str | None, Json]]

OTHER_APP = "0a1b2c3d-0000-4000-8000-0000000000ff"
OTHER_TENANT = "99999999-0000-4000-8000-00000000beef"
EMULATOR = "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"


def claiming(**changes: Any) -> Case:
    """Sign as the Connector does, with other claims; None leaves one out.

    A claim that is a function is what that returns as the token is made.
    """

    def case(issuer: Issuer, said: Json) -> tuple[str, Json]:
        claims = {name: one() if callable(one) else one for name, one in changes.items()}
        return issuer.bearer(said["serviceUrl"], **claims), said

    return case


def saying(**changes: Any) -> Case:
    """Change the body alone; None leaves a member out."""

    def case(issuer: Issuer, said: Json) -> tuple[str, Json]:
        whole = {**said, **changes}
        body = {name: value for name, value in whole.items() if value is not None}
        return issuer.bearer(SERVICE_URL), body

    return case


def at(service_url: str) -> Case:
    """Sign for another service address, which the body names too."""
    return lambda issuer, said: (issuer.bearer(service_url), {**said, "serviceUrl": service_url})


def header(text: str | None) -> Case:
    return lambda _, said: (text, said)


def bent(bend: Callable[[str], str]) -> Case:
    return lambda issuer, said: (bend(issuer.bearer(SERVICE_URL)), said)


def heading(**changes: Any) -> Case:
    """Sign with the right key, under another header."""

    def case(issuer: Issuer, said: Json) -> tuple[str, Json]:
        return f"Bearer {issuer.pair.sign(issuer.claims(SERVICE_URL), **changes)}", said

    return case


def by(name: str, *, channel: str | None = "msteams", **header: Any) -> Case:
    """Sign with the key *name*, and say that it came from *channel*."""

    def case(issuer: Issuer, said: Json) -> tuple[str, Json]:
        token = pair_of(name).sign(issuer.claims(SERVICE_URL), **header)
        body = {**said, "channelId": channel}
        return f"Bearer {token}", {k: v for k, v in body.items() if v is not None}

    return case


def unsigned(issuer: Issuer, said: Json) -> tuple[str, Json]:
    header = {"alg": "none", "typ": "JWT", "kid": issuer.pair.key_id}
    return f"Bearer {signing_input(header, issuer.claims(SERVICE_URL))}.", said


def by_the_public_key(issuer: Issuer, said: Json) -> tuple[str, Json]:
    public = issuer.pair.private.public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT", "kid": issuer.pair.key_id}
    signed = signing_input(header, issuer.claims(SERVICE_URL))
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"Bearer {signed}.{encoded(signature)}", said


def by_an_attacker(issuer: Issuer, said: Json) -> tuple[str, Json]:
    claims = issuer.claims(SERVICE_URL)
    return f"Bearer {pair_of('attacker').sign(claims, kid=issuer.pair.key_id)}", said


def with_its_own_key(issuer: Issuer, said: Json) -> tuple[str, Json]:
    attacker = pair_of("attacker")
    token = attacker.sign(issuer.claims(SERVICE_URL), kid=issuer.pair.key_id, jwk=attacker.jwk)
    return f"Bearer {token}", said


def with_other_claims(issuer: Issuer, said: Json) -> tuple[str, Json]:
    head, _, signature = issuer.pair.sign(issuer.claims(SERVICE_URL)).split(".")
    claims = encoded(json.dumps(issuer.claims(SERVICE_URL, aud=OTHER_APP)).encode())
    return f"Bearer {head}.{claims}.{signature}", said


def now_and(seconds: float) -> Callable[[], float]:
    """Return what tells the time *seconds* from when it is asked, however long tests took."""
    return lambda: int(time.time()) + seconds


ADMITTED: dict[str, Case] = {
    "a message": lambda issuer, said: (issuer.bearer(SERVICE_URL), said),
    "an invoke": lambda issuer, _: (
        issuer.bearer(SERVICE_URL),
        activity(issuer, kind="invoke"),
    ),
    "expired four minutes ago": claiming(exp=now_and(-240)),
    "valid in four minutes": claiming(nbf=now_and(240)),
    "an end with a fraction": claiming(exp=now_and(600.5)),
    "a claim more": claiming(azp=APP_ID),
    "the tenant beside the chat alone": saying(
        conversation={"id": "a:1dana", "conversationType": "personal"}
    ),
    "the tenant in the chat alone": saying(channelData=None),
    "ids in capitals": lambda issuer, said: (
        issuer.bearer(SERVICE_URL),
        {
            **said,
            "from": {**said["from"], "aadObjectId": said["from"]["aadObjectId"].upper()},
            "channelData": {"tenant": {"id": TENANT.upper()}},
        },
    ),
    "another region": at("https://smba.trafficmanager.net/amer/"),
    "a government's cloud": at("https://smba.infra.gcc.teams.microsoft.com/teams"),
}

REFUSED: dict[str, Case] = {
    # The header
    "no header": header(None),
    "an empty header": header(""),
    "a password": header("Basic a2V5OnR1cm4="),
    "no token": header("Bearer"),
    "an empty token": header("Bearer "),
    "in small letters": bent(lambda text: text.replace("Bearer", "bearer")),
    "letters beyond ASCII": header("Bearer é.é.é"),
    "two tokens": bent(lambda text: f"{text} {text}"),
    "without its scheme": bent(lambda text: text.removeprefix("Bearer ")),
    # What is no token
    "garbage": header("Bearer garbage"),
    "three letters": header("Bearer a.b.c"),
    "a token without its signature": bent(lambda text: text.rpartition(".")[0] + "."),
    "a signature with a letter changed": bent(
        lambda text: text[:-9] + ("A" if text[-9] != "A" else "B") + text[-8:]
    ),
    "claims changed after signing": with_other_claims,
    # The key
    "unsigned": unsigned,
    "signed with the public key as a password": by_the_public_key,
    "another key under the right name": by_an_attacker,
    "a key that it brings itself": with_its_own_key,
    "an unknown key": by("attacker"),
    "no key named": heading(kid=None),
    "a number for a key's name": heading(kid=7),
    "an empty name": heading(kid=""),
    "RS512 in the header": heading(alg="RS512"),
    "PS256 in the header": heading(alg="PS256"),
    "a key of other channels": by("webchat"),
    "a key of no channel": by("bare"),
    # Who says so
    "no issuer": claiming(iss=None),
    "an empty issuer": claiming(iss=""),
    "an issuer that is a list": claiming(iss=["https://api.botframework.com"]),
    "another issuer": claiming(iss="https://api.botframework.example"),
    "a government's issuer": claiming(iss="https://api.botframework.us"),
    "an emulator, with our own app": claiming(iss=EMULATOR, appid=APP_ID, ver="1.0"),
    "an emulator, with another app": claiming(iss=EMULATOR, appid=OTHER_APP, ver="1.0"),
    "a skill": claiming(iss=EMULATOR, appid=OTHER_APP, azp=OTHER_APP, ver="2.0"),
    "a skill, by the issuer itself": claiming(azp=OTHER_APP, ver="2.0"),
    "the agent's own token of Entra, for our app": claiming(
        iss=f"https://sts.windows.net/{TENANT}/", appid=OTHER_APP, tid=TENANT, ver="1.0"
    ),
    "the agent's own token of Entra, newer": claiming(
        iss=f"https://login.microsoftonline.com/{TENANT}/v2.0",
        azp=OTHER_APP,
        tid=TENANT,
        ver="2.0",
    ),
    # For whom
    "another app": claiming(aud=OTHER_APP),
    "no app": claiming(aud=None),
    "several apps": claiming(aud=[APP_ID, OTHER_APP]),
    "the Connector itself": claiming(aud="https://api.botframework.com"),
    # When
    "expired": claiming(exp=now_and(-400)),
    "not valid yet": claiming(nbf=now_and(400)),
    "no end": claiming(exp=None),
    "an end in words": claiming(exp="tomorrow"),
    "an end that is no number": claiming(exp=True),
    # Where it is answered
    "a claim of another address": claiming(serviceurl="https://smba.trafficmanager.net/apac/"),
    "no claim of an address": claiming(serviceurl=None),
    "another address in the body": saying(serviceUrl="https://smba.trafficmanager.net/apac/"),
    "no address in the body": saying(serviceUrl=None),
    "an empty address in the body": saying(serviceUrl=""),
    "no address at all": lambda issuer, said: (
        issuer.bearer("x", serviceurl=None),
        {k: v for k, v in said.items() if k != "serviceUrl"},
    ),
    "an address that is a list": saying(serviceUrl=[SERVICE_URL]),
    "an unknown host": at("https://smba.trafficmanager.net.example/teams/"),
    "our host as the name of an account": at("https://smba.trafficmanager.net@example.org/"),
    "our host on another port": at("https://smba.trafficmanager.net:8443/"),
    "in the clear": at("http://smba.trafficmanager.net/teams/"),
    "this machine": at("http://127.0.0.1:3978/"),
    # Which channel
    "Web Chat, as Web Chat": by("webchat", channel="webchat"),
    "Web Chat, as nothing": by("webchat", channel=None),
    "as another channel": saying(channelId="webchat"),
    "as an emulator": saying(channelId="emulator"),
    "as no channel": saying(channelId=None),
    "as a list": saying(channelId=["msteams"]),
    # Which organisation
    "another tenant": saying(channelData={"tenant": {"id": OTHER_TENANT}}, conversation=None),
    "another tenant in the chat": saying(
        conversation={"id": "a:1dana", "tenantId": OTHER_TENANT}, channelData=None
    ),
    "two tenants": saying(channelData={"tenant": {"id": OTHER_TENANT}}),
    "no tenant": saying(channelData={}, conversation={"id": "a:1dana"}),
    "a tenant that is a list": saying(channelData={"tenant": {"id": [TENANT]}}, conversation=None),
    "a tenant in words": saying(channelData={"tenant": {"id": "acme"}}, conversation=None),
    # Which person
    "no account": saying(**{"from": {"id": "29:1dana", "name": "Dana"}}),
    "an account that is empty": saying(**{"from": {"id": "29:1dana", "aadObjectId": ""}}),
    "an account that is no id": saying(**{"from": {"id": "29:1dana", "aadObjectId": "dana"}}),
    "nobody": saying(**{"from": None}),
    "a crowd": saying(**{"from": [{"id": "29:1dana"}]}),
}

NOT_UNDERSTOOD: dict[str, bytes] = {
    "nothing": b"",
    "words": b"hello",
    "half of it": b'{"type": "message"',
    "a list": b"[]",
    "a text": b'"message"',
    "null": b"null",
    "bytes that are no text": b'{"type": "\xff\xfe"}',
    "half a surrogate": b'{"type": "\\ud800"}',
    "no number": b'{"value": NaN}',
    "depth without end": b"[" * 100_000,
}


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    issuer = Issuer(pair=pair_of("msteams"))
    bare = pair_of("bare")
    bare.endorsements = None
    issuer.published += [pair_of("webchat"), bare]
    async with listening(issuer) as listener:
        yield listener


def test_the_zoo_is_as_large_as_it_was() -> None:
    assert len(ADMITTED) + len(REFUSED) >= 70


@pytest.mark.parametrize("case", ADMITTED.values(), ids=ADMITTED)
async def test_what_is_genuine_and_ours_is_heard(listener: Listener, case: Case) -> None:
    authorization, said = case(listener.issuer, activity(listener.issuer))
    status, _ = await listener.send(said, authorization)
    assert status == (200 if said["type"] == "invoke" else 202)
    assert len(listener.heard) == 1


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
async def test_what_is_not_genuine_is_refused_with_one_line_in_the_log(
    listener: Listener, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    authorization, said = case(listener.issuer, activity(listener.issuer))
    assert await listener.send(said, authorization) == (401, "Unauthorized\n")
    assert listener.heard == []
    lines = [record for record in caplog.records if record.name.startswith("keyturn")]
    assert [record.message for record in lines] == ["refused requests to teams' address"]
    assert_nothing_secret(caplog, authorization or "")


#: What the body says is not the SDK's to judge, and neither is a token's end.
OF_THE_POLICY = frozenset(
    {
        *("no end", "an unknown host", "our host as the name of an account", "in the clear"),
        *("our host on another port", "this machine", "Web Chat, as Web Chat"),
        *(name for name in REFUSED if "tenant" in name or "account" in name),
        *("nobody", "a crowd"),
    }
)


@pytest.mark.parametrize("name", sorted(set(REFUSED) - OF_THE_POLICY))
async def test_what_the_token_does_not_prove_the_transport_refuses_by_itself(
    listener: Listener, name: str
) -> None:
    authorization, said = REFUSED[name](listener.issuer, activity(listener.issuer))
    with pytest.raises(NotGenuine):
        await listener.transport.authenticate(said, authorization)


async def test_what_was_proven_is_not_proven_for_another_body(listener: Listener) -> None:
    said, bearer = activity(listener.issuer), listener.issuer.bearer(SERVICE_URL)
    assert await listener.transport.authenticate(said, bearer)
    for name, other in (("serviceUrl", f"{SERVICE_URL}x"), ("channelId", "webchat")):
        with pytest.raises(NotGenuine):
            await listener.transport.authenticate({**said, name: other}, bearer)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("another app", "a token for another app"),
        ("another tenant", "another tenant"),
        ("another address in the body", "a token for another service address"),
        ("an unknown host", "an unknown service address"),
        ("expired", "ExpiredSignatureError"),
    ],
)
async def test_the_log_names_what_an_admin_can_mend(
    listener: Listener, name: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    authorization, said = REFUSED[name](listener.issuer, activity(listener.issuer))
    await listener.send(said, authorization)
    assert [vars(record)["why"] for record in caplog.records] == [why]


@pytest.mark.parametrize("body", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
async def test_what_is_no_activity_is_a_bad_request(
    listener: Listener, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bearer = listener.issuer.bearer(SERVICE_URL)
    assert await listener.send(body, bearer) == (400, "Bad Request\n")
    assert await listener.send(body, None) == (401, "Unauthorized\n")
    assert listener.heard == []
    assert_nothing_secret(caplog, bearer)


async def test_a_genuine_activity_in_another_form_is_a_bad_request(listener: Listener) -> None:
    said = activity(listener.issuer)
    assert (await listener.say({**said, "recipient": "the bot"}))[0] == 400
    assert (await listener.say({**said, "type": "typing"}))[0] == 202
    assert listener.heard == []


ODD: tuple[Any, ...] = (None, True, 7, -1.5, "", "x" * 5_000, "\u202e", [], [[]], {}, {"id": {}})


def places(value: Json, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return where a member stands in *value*, and in its members."""
    for name, member in value.items():
        yield (*above, name)
        if isinstance(member, dict):
            yield from places(member, (*above, name))


def with_odd(value: Json, place: tuple[str, ...], odd: Any) -> Json:
    first, *rest = place
    changed = odd if not rest else with_odd(value[first], tuple(rest), odd)
    return {**value, first: changed}


@pytest.mark.parametrize("kind", ["message", "invoke"])
async def test_whatever_stands_in_a_genuine_activity_it_is_never_an_error_of_ours(
    listener: Listener, kind: str
) -> None:
    said = activity(listener.issuer, kind=kind)
    bearer = listener.issuer.bearer(SERVICE_URL)
    for place in places(said):
        for number, odd in enumerate(ODD):
            changed = with_odd(said, place, odd)
            if place != ("id",):
                changed["id"] = f"f:{place}{number}"
            status, _ = await listener.send(changed, bearer)
            assert status in {200, 202, 400, 401}, (place, odd)


async def test_what_is_longer_than_teams_writes_is_not_read(listener: Listener) -> None:
    said = activity(listener.issuer)
    assert (await listener.say({**said, "text": "x" * 262_144}))[0] == 413
    assert listener.heard == []


async def test_a_refused_stranger_is_counted_and_not_written_down_each_time(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(30):
        await listener.send(activity(listener.issuer), "Bearer a.b.c")
    listener.clock.at += 61
    await listener.send(activity(listener.issuer), "Bearer a.b.c")
    told = [vars(record)["count"] for record in caplog.records]
    assert told == [1, 30]


def assert_nothing_secret(caplog: pytest.LogCaptureFixture, authorization: str) -> None:
    token = authorization.rpartition(" ")[2]
    parts = [part for part in token.split(".") if len(part) > 8]
    for record in caplog.records:
        written = f"{record.getMessage()} {vars(record)}"
        assert record.exc_info is None, written
        assert "Traceback" not in written
        assert not any(part in written for part in parts), written

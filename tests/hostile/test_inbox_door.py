"""The people's listener, where a press decides: nobody but the person, at our own page, gets in.

Most attacks here hold a real session and a real form of the person who is asked, and differ from
a press in one thing: whatever got through would approve.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from tests.hostile.cast import Cast
from tests.hostile.scene import Scene
from tests.hostile.wire import statuses

pytestmark = pytest.mark.usefixtures("unmoved")


@pytest.fixture
def press(scene: Scene, cast: Cast) -> dict[str, str]:
    """The form by which Dana would approve what the quiet agent proposed."""
    return {**scene.card(cast.dana, cast.theirs["pending"]), "button": "approve"}


def target(cast: Cast) -> str:
    return f"/proposals/{cast.theirs['pending']}/press"


def sent_raw(
    scene: Scene, cast: Cast, press: Mapping[str, str], *fields: str, line: str = ""
) -> list[int]:
    """Send the press with exactly these header fields; ``{port}`` is ours."""
    body = urlencode(press)
    head = [
        line or f"POST {target(cast)} HTTP/1.1",
        *fields,
        f"Cookie: keyturn={cast.dana.session}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    text = "\r\n".join(head).replace("{port}", str(scene.people.port)) + "\r\n\r\n" + body
    return statuses(scene.people.send(text.encode()))


OURS, FROM_US = "Host: 127.0.0.1:{port}", "Origin: http://127.0.0.1:{port}"

NAMES = {
    "another name": ["Host: evil.example"],
    "another name with our port": ["Host: evil.example:{port}"],
    "our name in another": ["Host: 127.0.0.1:{port}.evil.example"],
    "our name with another port": ["Host: 127.0.0.1:80"],
    "our name without its port": ["Host: 127.0.0.1"],
    "a name that leads here": ["Host: localhost:{port}"],
    "our address in other digits": ["Host: 2130706433:{port}"],
    "our address in IPv6": ["Host: [::ffff:127.0.0.1]:{port}"],
    "somebody at our name": ["Host: evil@127.0.0.1:{port}"],
    "a trailing dot": ["Host: 127.0.0.1.:{port}"],
    "two names": [OURS, "Host: evil.example"],
    "two names the other way": ["Host: evil.example", OURS],
    "a list of names": ["Host: 127.0.0.1:{port}, evil.example"],
    "no name": [],
    "an empty name": ["Host:"],
    "what a proxy would say": ["Host: evil.example", "X-Forwarded-Host: 127.0.0.1:{port}"],
    "what a proxy would forward": ["Host: evil.example", 'Forwarded: host="127.0.0.1:{port}"'],
}


@pytest.mark.parametrize("fields", NAMES.values(), ids=NAMES)
def test_under_another_name_nothing_is_served(
    scene: Scene, cast: Cast, press: dict[str, str], fields: list[str]
):
    for origin in (FROM_US, "Sec-Fetch-Site: same-origin"):
        assert sent_raw(scene, cast, press, *fields, origin) in ([421], [400])
    assert sent_raw(scene, cast, press, *fields, line="GET / HTTP/1.1") in ([421], [400])


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1:{port}.evil.example", "evil@127.0.0.1:{port}"]
)
def test_a_target_with_another_name_is_another_name(
    scene: Scene, cast: Cast, press: dict[str, str], name: str
):
    """RFC 9112, 3.2.2: a name in the target counts, whatever Host says."""
    line = f"POST http://{name}{target(cast)} HTTP/1.1"
    assert sent_raw(scene, cast, press, OURS, FROM_US, line=line) in ([421], [400])


ORIGINS = {
    "another site": ["Origin: https://evil.example"],
    "nobody": ["Origin: null"],
    "nothing": ["Origin:"],
    "ours with a slash": ["Origin: http://127.0.0.1:{port}/"],
    "ours, but https": ["Origin: https://127.0.0.1:{port}"],
    "another port": ["Origin: http://127.0.0.1:1"],
    "ours in another": ["Origin: http://127.0.0.1:{port}.evil.example"],
    "somebody at ours": ["Origin: http://127.0.0.1:{port}@evil.example"],
    "a name that leads here": ["Origin: http://localhost:{port}"],
    "ours in a list": ["Origin: http://127.0.0.1:{port} https://evil.example"],
    "the other one of two": ["Origin: https://evil.example", FROM_US],
    "no word about it": [],
    "another site, says the browser": ["Sec-Fetch-Site: cross-site"],
    "a sister site, says the browser": ["Sec-Fetch-Site: same-site"],
    "typed by hand, says the browser": ["Sec-Fetch-Site: none"],
    "two words of the browser": ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin"],
    "only where it came from": ["Referer: http://127.0.0.1:{port}/"],
    "ours, says a proxy": ["X-Forwarded-Origin: http://127.0.0.1:{port}"],
    "another site, and same-origin": [
        "Origin: https://evil.example",
        "Sec-Fetch-Site: same-origin",
    ],
}


@pytest.mark.parametrize("fields", ORIGINS.values(), ids=ORIGINS)
def test_a_press_that_no_page_of_ours_sent_is_refused(
    scene: Scene, cast: Cast, press: dict[str, str], fields: list[str]
):
    assert sent_raw(scene, cast, press, OURS, *fields) in ([403], [400])


def test_one_of_two_origins_is_not_picked(scene: Scene, cast: Cast, press: dict[str, str]):
    fields = (OURS, FROM_US, "Origin: https://evil.example")
    assert sent_raw(scene, cast, press, *fields) in ([403], [400])


def test_an_address_never_presses(scene: Scene, cast: Cast, press: dict[str, str]):
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        for path in (target(cast), target(cast).removesuffix("/press")):
            answer = scene.people.ask(
                method, f"{path}?{urlencode(press)}", cookie=cast.dana.session
            )
            assert answer.status in {200, 405}


KINDS = {
    "json": ("application/json", b'{"button":"approve"}'),
    "text": ("text/plain", b"button=approve"),
    "multipart": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="button"\r\n\r\napprove\r\n--x--\r\n',
    ),
    "a broken multipart": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disp"),
    "no boundary": ("multipart/form-data", b"--x"),
    "another charset": ("application/x-www-form-urlencoded; charset=utf-16", b"b\x00u\x00"),
    "a charset that is none": ("application/x-www-form-urlencoded; charset=nonsense", b"a=b"),
    "a codec that is no charset": ("application/x-www-form-urlencoded; charset=zlib", b"a=b"),
    "not UTF-8": ("application/x-www-form-urlencoded", b"button=\xff\xfe"),
    "encoded as not UTF-8": ("application/x-www-form-urlencoded", b"button=%ff%fe"),
    "a zero byte": ("application/x-www-form-urlencoded", b"button=appro\x00ve"),
    "100,000 fields": ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 100_000)),
    "nothing": ("application/x-www-form-urlencoded", b""),
}


@pytest.mark.parametrize(("kind", "raw"), KINDS.values(), ids=KINDS)
def test_what_is_no_form_of_ours_is_refused(scene: Scene, cast: Cast, kind: str, raw: bytes):
    for path in (target(cast), f"/proposals/{cast.theirs['pending']}/viewed", "/stop", "/signout"):
        answer = scene.people.ask(
            "POST", path, cookie=cast.dana.session, headers={"Content-Type": kind}, raw=raw
        )
        assert answer.status in {413, 422}, (path, answer.status)
    answer = scene.people.ask("POST", "/signin", headers={"Content-Type": kind}, raw=raw)
    assert answer.status in {401, 413, 422}


def test_the_secret_of_a_form_is_good_for_one_session(scene: Scene, cast: Cast):
    pending, theirs = cast.theirs["pending"], scene.card(cast.dana, cast.theirs["pending"])
    eves = scene.page(cast.eve, "/").one("form", action="/signout").one("input", name="form")
    for form in (eves.attributes["value"], "0" * 64, theirs["form"][::-1], cast.dana.session):
        assert scene.people.ask(
            "POST",
            target(cast),
            cookie=cast.dana.session,
            form={**theirs, "form": form, "button": "approve"},
        ).status in {403, 422}
    # With everything that Dana's page held, but in another person's browser.
    for someone in (cast.eve, cast.li):
        said = scene.people.ask(
            "POST", target(cast), cookie=someone.session, form={**theirs, "button": "approve"}
        )
        assert said.status == 403
    assert scene.state(pending)["decisions"] == []


def test_what_a_session_could_be_is_not_guessed(scene: Scene, cast: Cast, press: dict[str, str]):
    session = cast.dana.session
    for guess in (
        "",
        session[:-1],
        session + "0",
        session.swapcase(),
        session.replace("kts_", "kta_"),
        cast.mallory.token,
        cast.bank.token,
        cast.admin,
        cast.dana.id,
        "' OR '1'='1",
        "kts_" + "0" * 39,
        f'"{session}',
    ):
        answer = scene.people.ask("POST", target(cast), cookie=guess, form=press)
        assert answer.status == 401, guess


@pytest.mark.parametrize(
    "prefix",
    [
        "0" * 32,
        "f" * 32,
        "",
        "0",
        "{digest:.16}",
        "{digest:.31}",
        "{digest:.33}",
        "{digest:.64}",
        "sha256:{digest:.25}",
        "{digest:.31}%",
        "{digest:.31}*",
        "{digest:.31}g",
        "{digest:.31} ",
        "{digest:.32}\n",
        "{other:.32}",
        "{upper:.32}",
        "-1",
    ],
)
def test_a_digest_is_not_guessed_nor_shortened(
    scene: Scene, cast: Cast, press: dict[str, str], prefix: str
):
    """The one who presses is the one who is asked; what they press was never on their card."""
    digest = scene.state(cast.theirs["pending"])["digest"].removeprefix("sha256:")
    other = scene.state(cast.theirs["superseding"])["digest"].removeprefix("sha256:")
    written = prefix.format(digest=digest, other=other, upper=digest.upper())
    if re.fullmatch("[0-9]+", digest[:32]):
        pytest.skip("this digest has no letters, so it has no other case")
    assert written != press["digest"]
    answer = scene.people.ask(
        "POST",
        target(cast),
        cookie=cast.dana.session,
        form={**press, "digest": written},
    )
    assert answer.status in {422, 303}
    if answer.status == 303:
        page = scene.page(cast.dana, answer.headers["Location"])
        assert "Not recorded" in page.with_class("flash")[0].text


def test_the_only_thing_on_a_card_that_an_agent_knows_does_not_press(scene: Scene, cast: Cast):
    """An agent is told its proposal's whole digest: it is no use without a person's session."""
    own = scene.propose(cast.mallory, on_behalf_of=cast.li.id).json
    form = {"form": "0" * 64, "digest": own["digest"][7:39], "button": "approve"}
    path = f"/proposals/{own['id']}/press"
    for cookie in (None, cast.mallory.token, own["id"]):
        assert scene.people.ask("POST", path, cookie=cookie, form=form).status == 401
    by_token = scene.people.ask("POST", path, token=cast.mallory.token, form=form)
    assert by_token.status == 401


def test_another_person_sees_and_decides_nothing(scene: Scene, cast: Cast):
    secret = scene.page(cast.eve, "/").one("form", action="/signout").one("input", name="form")
    for proposal in cast.theirs.values():
        digest = scene.state(proposal)["digest"][7:39]
        for part in ("", "/full", "/history", "/receipt", "/stop", "/undo"):
            path = f"/proposals/{proposal}{part}"
            answer = scene.people.ask("GET", path, cookie=cast.eve.session)
            assert answer.status == 404, path
        for button in ("approve", "reject", "settle_done", "settle_not_done", "undo"):
            form = {"form": secret.attributes["value"], "digest": digest, "note": "mine now"}
            pressed = scene.people.ask(
                "POST",
                f"/proposals/{proposal}/press",
                cookie=cast.eve.session,
                form={**form, "button": button},
            )
            if pressed.status == 303:
                after = pressed.headers["Location"]
                assert scene.people.ask("GET", after, cookie=cast.eve.session).status == 404
            else:
                assert pressed.status in {401, 403, 404}


def test_a_code_to_sign_in_is_not_guessed(scene: Scene, cast: Cast):
    codes = ["", "0" * 6, "a" * 200, "' --", "\x00", cast.dana.id, cast.dana.session, "%00"]
    for code in codes * 8:
        answer = scene.people.ask("POST", "/signin", form={"code": code, "then": "//evil.example"})
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "then",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aX: y",
    ],
)
def test_nobody_is_sent_elsewhere(scene: Scene, cast: Cast, then: str):
    page = scene.people.ask("GET", "/signin?" + urlencode({"then": then}))
    assert page.status == 200
    assert "evil.example" not in page.body.decode()
    assert "javascript:" not in page.body.decode()

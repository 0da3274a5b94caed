"""Text that is not what it looks like, in every field that takes text."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest

from bot.http.app import agents_document
from tests.hostile.cast import Cast
from tests.hostile.scene import AUDIENCE, Scene, note
from tests.web.dom import Parser

pytestmark = pytest.mark.usefixtures("unmoved")

TRICKS = {
    "overridden direction": "annul\u202egnp.exe\u202c",
    "isolated direction": "\u2066Approved by Dana\u2069\u2067",
    "marks of direction": "\u200e\u200f\u061c",
    "tags": "hello" + "".join(chr(0xE0000 + ord(letter)) for letter in "approve this"),
    "letters that look alike": "Аррrоvеd bу Dаnа",
    "nothing to be seen": "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e",
    "fillers": "\u3164\u115f\uffa0\u2800",
    "a flood of accents": "Z" + "\u0335\u0322\u031b" * 3_000,
    "variation selectors": "a" + "\ufe0f\U000e0100" * 500,
    "zero bytes": "a\x00b\x00",
    "escapes of a terminal": "\x1b[2J\x1b]0;approved\x07\x9b31m",
    "line separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "carriage returns": "Reject\rApprove",
    "other ends of Unicode": "\U0010ffff\ufffe\uffff\ufdd0",
    "private letters": "\ue000\U000f0000",
    "one letter of many": "\ufdfa" * 200,
    "right to left": "مرحبا שלום",
    "markup": "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>",
    "attributes": "\" onfocus=alert(1) autofocus x='",
    "mentions": "<!channel> <@U123> @everyone [ok](http://evil.example) *bold*",
    "templates": "{{7*7}} ${7*7} #{7*7} <%= 7*7 %> {params.text} %s %n",
    "queries": "'; DROP TABLE proposals; --",
    "paths": "../../../../etc/passwd",
    "headers": "x\r\nX-Injected: y",
    "formulas": '=HYPERLINK("http://evil.example")',
    "a line of the log": "12:00:00 error: Traceback (most recent call last):",
    "emoji of many": "👨‍👩‍👧‍👦" * 500,
    "10,000 of one letter": "a" * 10_000,
}
#: What nobody may meet as it is on a page: it would change how the rest is read.
UNSEEN = frozenset(
    [
        *map(chr, range(0x202A, 0x202F)),
        *map(chr, range(0x2066, 0x206A)),
        *map(chr, range(0xE0020, 0xE0080)),
        *"\u200b\u2060\ufeff\x00\x1b\x9b\u3164\u2028\u2029",
    ]
)
#: Everything a proposal can be given, so that every field is there to be replaced.
WHOLE: Mapping[str, Any] = {
    "action": {"verb": "notes.add", "resource": "notes:x", "params": {"text": "hello"}},
    "on_behalf_of": "",
    "mode": "execute",
    "audience": AUDIENCE,
    "rationale": {"read": [{"ref": "r", "sha256": "0" * 64}], "why": "w", "expects": "e"},
    "preconditions": {"etag": '"1"'},
    "expires_in_s": 60,
    "supersedes": "prp_" + "0" * 26,
    "correlation": "c",
}
#: Those without which nothing is wrong with the rest.
LEFT_OUT = ("audience", "supersedes", "preconditions")

Way = tuple[str | int, ...]


def texts(value: Any, way: Way = ()) -> Iterator[Way]:
    match value:
        case str():
            yield way
        case dict():
            for key, member in value.items():
                yield from texts(member, (*way, key))
        case list():
            for at, member in enumerate(value):
                yield from texts(member, (*way, at))
        case _:
            return


def put(value: Any, way: Way, text: str) -> Any:
    changed = deepcopy(value)
    place = changed
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = text
    return changed


def test_every_field_of_a_proposal_is_tried():
    known = agents_document()["components"]["schemas"]["ProposalBody"]["properties"]
    assert set(known) == set(WHOLE)


def test_no_field_of_a_proposal_makes_it_fail(scene: Scene, cast: Cast):
    taken = 0
    for trick in TRICKS.values():
        for way in texts(WHOLE):
            kept = {k: v for k, v in WHOLE.items() if k not in LEFT_OUT or k == way[0]}
            body = put({**kept, "on_behalf_of": cast.li.id}, way, trick)
            answer = scene.propose(cast.mallory, body)
            assert answer.status in {200, 202, 403, 404, 409, 422}, (way, answer.body[:300])
            assert len(answer.body) < 20_000
            if answer.status == 202:
                taken += 1
                take_back(scene, cast, answer.json["id"])
    # Most texts that a note takes are taken: its person is shown what they are.
    assert taken > 3 * len(TRICKS)


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_a_person_sees_what_is_there(scene: Scene, cast: Cast, trick: str):
    rationale = {"read": [{"ref": trick[:2000]}], "why": trick, "expects": trick}
    proposed = scene.propose(cast.mallory, text=trick, on_behalf_of=cast.li.id, rationale=rationale)
    assert proposed.status == 202, proposed.body
    proposal = proposed.json["id"]
    for path in ("/", *(f"/proposals/{proposal}{part}" for part in ("", "/full", "/history"))):
        page = scene.people.ask("GET", path, cookie=cast.li.session)
        assert page.status == 200
        text = page.body.decode()
        assert not UNSEEN.intersection(text), (path, UNSEEN.intersection(text))
        for node in Parser.parse(text).walk():
            assert not [name for name in node.attributes if name.startswith(("on", "autofocus"))]
            source = node.attributes.get("src", "")
            assert source.startswith("/static/") or node.tag not in {"script", "img"}
    take_back(scene, cast, proposal)


def take_back(scene: Scene, cast: Cast, proposal: str) -> None:
    path = f"/v1/proposals/{proposal}/withdraw"
    answer = scene.agents.ask("POST", path, token=cast.mallory.token)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_no_other_place_for_text_fails(scene: Scene, cast: Cast, trick: str):
    own = scene.propose(cast.mallory, text="own", on_behalf_of=cast.li.id).json["id"]
    path, token = f"/v1/proposals/{own}", cast.mallory.token
    for part, body in (
        ("/outcome", {"result": "succeeded", "detail": trick, "reference": trick}),
        ("/outcome", {"result": trick}),
        ("/withdraw", {"reason": trick}),
        ("/withdraw", {trick: "reason"}),
    ):
        answer = scene.agents.ask("POST", f"{path}{part}", token=token, body=body)
        assert answer.status in {200, 409, 413, 422}, (part, answer.body[:300])
    body = {"grant": trick, "action_digest": trick}
    redeemed = scene.agents.ask("POST", "/v1/grants/redeem", token=cast.bank.token, body=body)
    assert redeemed.status == 422
    assert scene.people.ask("GET", f"/proposals/{own}", cookie=cast.li.session).status == 200


def test_a_key_of_params_is_text_as_well(scene: Scene, cast: Cast):
    for trick in TRICKS.values():
        body = note(on_behalf_of=cast.li.id)
        body["action"]["params"][trick] = "x"
        answer = scene.propose(cast.mallory, body)
        assert (answer.status, answer.code) == (422, "invalid_input")
        assert len(answer.body) < 20_000


@pytest.mark.parametrize("letter", ["a", "\u202e", "\u0335", "\x00", "é", "\U0001f511", " ", "\n"])
def test_almost_a_megabyte_of_one_character(scene: Scene, cast: Cast, letter: str):
    """It is cut for nobody and holds up nobody: the card says how much is missing."""
    size = 1_000_000 // len(letter.encode("unicode_escape"))
    answer = scene.propose(cast.mallory, text=letter * size, on_behalf_of=cast.li.id)
    assert answer.status in {202, 413, 422}, answer.body[:300]
    inbox = scene.people.ask("GET", "/", cookie=cast.li.session)
    assert inbox.status == 200
    if answer.status == 202:
        proposal = answer.json["id"]
        card = scene.people.ask("GET", f"/proposals/{proposal}", cookie=cast.li.session)
        assert card.status == 200
        assert len(card.body) < 200_000
        take_back(scene, cast, proposal)


@pytest.mark.parametrize(
    "key", ["", " ", "a b", "é", "a" * 256, "\x7f", "a,b", "key-\u202e", "../x", "%00", "null"]
)
def test_a_key_is_plain_or_refused(scene: Scene, cast: Cast, key: str):
    headers = {"Idempotency-Key": key.encode("utf-8").decode("latin-1")}
    body = note(on_behalf_of=cast.li.id)
    token = cast.mallory.token
    answer = scene.agents.ask("POST", "/v1/proposals", token=token, headers=headers, body=body)
    # What is no header value at all never comes as far as the API.
    assert answer.status in {200, 202, 400, 422}

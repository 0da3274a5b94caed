"""A section is taken as a whole or refused with everything that is wrong."""

import logging
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from adapters.http import create
from bot.core.canonical import Json
from bot.core.errors import SettingsInvalid
from bot.core.verbs import Kind
from bot.system_clock import SystemClock
from tests.connectors.sections import TRACKER, connect, section
from tests.connectors.target import SECRET

VERB = 'connectors.tracker.verbs."tracker.comment"'
URL = "https://tracker.example"


def problems(made: Mapping[str, object], secret: str = SECRET) -> list[str]:
    with pytest.raises(SettingsInvalid) as raised:
        create("tracker", made, secrets=lambda _: secret, clock=SystemClock())
    return list(raised.value.problems)


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the tracker's section with the value at *path* replaced, or left out for ``...``."""
    made: dict[str, Any] = deepcopy(TRACKER)
    *way, last = path.replace("VERB", "verbs/tracker.comment").split("/")
    node: Any = made
    for step in way:
        node = node[int(step)] if step.isdecimal() else node[step]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return made


async def test_a_verb_is_declared_as_it_was_written() -> None:
    connector = connect(section(URL))
    verb = connector.verbs["tracker.comment"]
    assert (verb.name, verb.connector, verb.kind) == ("tracker.comment", "tracker", Kind.WRITE)
    assert verb.resources == ("tracker:*/issues/*",)
    assert (verb.idempotent, verb.can_look_up, verb.inspects) == (True, True, True)
    assert verb.params_schema["additionalProperties"] is False


async def test_what_is_not_declared_is_not_claimed() -> None:
    bare: dict[str, Any] = {
        "idempotency": None,
        "lookup": None,
        "inspect": None,
        "before": None,
        "etag": None,
    }
    fixed = {"audience": {"reach": "public", "who": "All"}, "resources": ["tracker:a/*"]}
    bare["say"] = {"effect": "Comment"}
    verb = connect(section(URL, bare | fixed)).verbs["tracker.comment"]
    assert (verb.idempotent, verb.can_look_up, verb.inspects) == (False, False, False)
    assert verb.resources == ("tracker:a/*",)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("type", "https", "connectors.tracker.type: this should be 'http'"),
        ("base_url", ..., "connectors.tracker.base_url: this is missing: add it"),
        ("colour", 1, "connectors.tracker.colour: there is no such key here"),
        ("timeout_s", 0, "connectors.tracker.timeout_s: this should be greater than 0"),
        ("timeout_s", "10", "connectors.tracker.timeout_s: this should be a valid number"),
        ("max_response_bytes", 0, "connectors.tracker.max_response_bytes: this should be greater"),
        ("verbs", {}, "connectors.tracker.verbs: "),
        ("headers", {"Host": "evil"}, "connectors.tracker.headers.Host: Keyturn sets this header"),
        ("headers", {"Cookie": "a=b"}, "Keyturn sets this header"),
        ("headers", {"Bad Name": "x"}, "this is not the name of a header"),
        ("headers", {"X-A": "x\r\nX-B: y"}, "a header's value is one line"),
        ("headers", {"X-A": "é"}, "a header's value is one line"),
        ("credential/send", "cookie", "connectors.tracker.credential.send: "),
        ("credential/send", {"header": "Host"}, "Keyturn sets this header itself"),
        ("VERB/kind", "poke", f"{VERB}.kind: this should be"),
        ("VERB/summary", "two\nlines", f"{VERB}.summary: "),
        ("VERB/audience", ..., f"{VERB}.audience: this is missing"),
        ("VERB/audience", {"reach": "public"}, f"{VERB}.audience.who: this is missing"),
        ("VERB/audience", {"of": "{seen.private}"}, f"{VERB}.audience.cases: this is missing"),
        ("VERB/request/method", "GET", f"{VERB}.request.method: "),
        ("VERB/inspect/0/method", "POST", f"{VERB}.inspect[0].method: "),
        ("VERB/lookup/method", "DELETE", f"{VERB}.lookup.method: "),
        ("VERB/request/path", "comments", f"{VERB}.request: the path starts with a slash"),
        ("VERB/request/path", "/a/../b", f"{VERB}.request: the path holds an empty part, or . or"),
        ("VERB/request/path", "/a//b", f"{VERB}.request: the path holds an empty part"),
        ("VERB/request/path", "/a?b=c", f"{VERB}.request: the path holds a character"),
        ("VERB/request/path", "/%zz", f"{VERB}.request: the path holds a character"),
        ("VERB/request/path", "/{params.nope}", f"{VERB}.request.path: nothing is called"),
        ("VERB/request/path", "/{nope}", "nothing is called {nope} here"),
        ("VERB/request/path", "/{seen.title}", "nothing is called {seen.title} here"),
        ("VERB/request/path", "/{params.text", "a single {: write {{ for the character"),
        ("VERB/request/path", "/{params text}", "{params text} is not a name"),
        ("VERB/request/path", "/{params.notify}", "{params.notify} is written into a text"),
        ("VERB/request/body/text", "{params.labels}!", "{params.labels} is written into a text"),
        ("VERB/request/body/notify", ..., "{params.notify} is shown to people but never sent"),
        ("VERB/request/path", "/{resource.project}", "{resource.number} is shown to people but"),
        ("VERB/resource", "a:{x}{y}", f"{VERB}.resource: two parts of a resource touch"),
        ("VERB/resource", "a:{x}/{x}", f"{VERB}.resource: each part of a resource has its own"),
        ("VERB/resource", "a:{x.y}", f"{VERB}.resource: each part of a resource has its own"),
        (
            "VERB/params",
            {"type": "array"},
            f"{VERB}.params: the schema of params says type: object",
        ),
        (
            "VERB/params",
            {"type": "object", "required": 1},
            f"{VERB}.params: this is not a JSON Sch",
        ),
        ("VERB/params/properties/text", {"$ref": "https://x.example"}, "leads outside of the sche"),
        ("VERB/params/properties/text", {"$ref": "#/$defs/none"}, "this is not a JSON Schema"),
        ("VERB/params/$schema", "http://json-schema.org/draft-07/schema#", "leave $schema out"),
        ("VERB/params/additionalProperties", True, "{params} is shown to people but never sent"),
        ("VERB/params", "text", f"{VERB}.params: write a mapping"),
        ("VERB/before", {"t": "{seen.nope}"}, f"{VERB}.before: nothing is called {{seen.nope}}"),
        ("VERB/before", {"t": "old {seen.title}"}, f"{VERB}.before: a value stands alone here"),
        ("VERB/etag", '"v1"', f"{VERB}.etag: an etag is observed, not declared"),
        ("VERB/inspect/0/method", "HEAD", f"{VERB}.inspect[0]: HEAD is answered without a body"),
        ("VERB/lookup/method", "HEAD", f"{VERB}.lookup: HEAD is answered without a body"),
        ("VERB/lookup/found", {}, f"{VERB}.lookup: an answer alone does not prove"),
        ("VERB/inspect/0/take/title", "title", "this is not a JSON pointer"),
        ("VERB/say/effect", "{seen.title}", f"{VERB}.say: nothing is called {{seen.title}}"),
        ("VERB/reference", {}, f"{VERB}.reference: name either a header or a pointer"),
        ("VERB/idempotency/header", "X-Trace", f"{VERB}.idempotency: this header carries"),
        ("VERB/request/body", {"at": {1, 2}}, f"{VERB}.request.body: "),
    ],
)
def test_a_mistake_refuses_to_load_and_says_where(path: str, value: Any, problem: str) -> None:
    made = changed(path, value)
    made.setdefault("headers", {"X-Trace": "1"})
    assert problem in "\n".join(problems(made))


def test_everything_that_is_wrong_is_told_at_once() -> None:
    made = changed("VERB/request/path", "/{nope}")
    made |= {"base_url": "ftp://x", "colour": "red", "timeout_s": -1}
    made["verbs"]["other"] = {"kind": "poke"}
    told = problems(made, secret="short")
    for place in (
        "connectors.tracker.base_url",
        "connectors.tracker.colour",
        "connectors.tracker.timeout_s",
        "connectors.tracker.credential",
        f"{VERB}.request.path",
        "connectors.tracker.verbs.other.kind",
        "connectors.tracker.verbs.other.params",
    ):
        assert any(problem.startswith(f"{place}: ") for problem in told), place


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://x.example",
            "//x.example",
            "x.example",
            "https://",
            "https://x.example:0",
            "https:x",
        ),
        *(
            "https://x.example?q=1",
            "https://x.example#f",
            "https://x.example/a/../b",
            "https://[::1",
        ),
        *(
            "https://x.example/a//b",
            "https://exämple.org",
            "https://x.example:99999",
            "https://a b",
        ),
        *("https://u:hunter2hunter2@x.example", "https://x_y.example", "https://x.example/%2e%2e"),
    ],
)
def test_a_base_url_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    (problem,) = problems(section(url))
    assert problem.startswith("connectors.tracker.base_url: ")
    assert "hunter2" not in problem


def test_plain_http_needs_private_addresses_to_be_allowed() -> None:
    (problem,) = problems(section("http://tracker.example", allow_private=False))
    assert "use https" in problem


@pytest.mark.parametrize(
    ("send", "secret"),
    [
        ("bearer", ""),
        ("bearer", "pw12"),
        ("bearer", "two\nlines-of-it"),
        ("bearer", "nön-ascii-secret"),
        ("basic", "no-colon-in-it"),
        ("basic", "dana:short"),
        ("basic", ":long-enough-password"),
    ],
)
def test_a_credential_that_cannot_be_sent_is_refused_and_not_repeated(
    send: str, secret: str
) -> None:
    made = section(URL, credential={"reference": "env:TOKEN", "send": send})
    (problem,) = problems(made, secret)
    assert problem.startswith("connectors.tracker.credential: ")
    assert not secret or secret not in problem


def test_a_reference_that_leads_nowhere_is_told_with_its_place() -> None:
    def nowhere(reference: str) -> str:
        raise SettingsInvalid("no", problems=[f"{reference} is not set. Set it."])

    with pytest.raises(SettingsInvalid) as raised:
        create("tracker", section(URL), secrets=nowhere, clock=SystemClock())
    assert raised.value.problems == (
        "connectors.tracker.credential: env:TRACKER_TOKEN is not set. Set it.",
    )


async def test_the_credential_is_in_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connector = connect(section(URL))
    held = [repr(connector), repr(vars(connector)), repr(vars(connector._client)), caplog.text]
    held += [repr(verb) for verb in connector.verbs.values()]
    assert not any(SECRET in text for text in held)
    assert "Credential(header='Authorization')" in held[2]


def digest(made: Mapping[str, object], secret: str = SECRET) -> str:
    connector = create("tracker", made, secrets=lambda _: secret, clock=SystemClock())
    return connector.verbs["tracker.comment"].config_digest


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("base_url", "https://other.example"),
        ("allow_private", False),
        ("credential/reference", "env:OTHER"),
        ("credential/send", "basic"),
        ("credential", ...),
        ("headers", {"X-Tenant": "1"}),
        ("timeout_s", 5),
        ("max_response_bytes", 5),
        ("VERB/kind", "permission"),
        ("VERB/request/method", "PUT"),
        ("VERB/request/path", "/other/{resource.project}/{resource.number}"),
        ("VERB/request/if_match", False),
        ("VERB/request/body/text", "{params.text}!"),
        ("VERB/params/properties/text/maxLength", 10),
        ("VERB/idempotency", ...),
        ("VERB/lookup", ...),
        ("VERB/settles_after_s", 5),
        ("VERB/inspect/0/path", "/other"),
        ("VERB/audience/cases/false/who", "Others"),
        ("VERB/say/effect", "Other"),
        ("VERB/reference", ...),
    ],
)
def test_whatever_is_configured_changes_the_digest(path: str, value: Any) -> None:
    secret = "dana:long-enough"
    plain = changed("base_url", URL)
    assert digest(
        {**changed(path, value), **({} if path == "base_url" else {"base_url": URL})}, secret
    ) != digest(plain, secret)


def test_the_digest_is_of_the_reference_and_not_of_the_secret() -> None:
    assert digest(section(URL), "secret-number-one") == digest(section(URL), "secret-number-two")


def test_the_digest_is_of_what_a_section_means_and_not_of_how_it_is_written() -> None:
    written_out = section(URL, {"settles_after_s": 60})
    assert digest(written_out) == digest(section(URL))


OBJECT: dict[str, Json] = {"type": "object", "properties": {"b": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        (OBJECT, {**OBJECT, "additionalProperties": False}),
        ({**OBJECT, "additionalProperties": True}, {**OBJECT, "additionalProperties": True}),
        (
            {"type": "object", "properties": {"a": OBJECT}},
            {
                "type": "object",
                "properties": {"a": {**OBJECT, "additionalProperties": False}},
                "additionalProperties": False,
            },
        ),
        (
            {"type": "object", "allOf": [OBJECT]},
            {"type": "object", "allOf": [OBJECT], "unevaluatedProperties": False},
        ),
        (
            {"type": "object", "properties": {"a": False, "c": {"type": "array", "items": OBJECT}}},
            {
                "type": "object",
                "properties": {
                    "a": False,
                    "c": {"type": "array", "items": {**OBJECT, "additionalProperties": False}},
                },
                "additionalProperties": False,
            },
        ),
    ],
)
def test_a_schema_that_is_silent_about_other_members_refuses_them(
    schema: dict[str, Json], closed: dict[str, Json]
) -> None:
    made = section(URL, {"params": schema, "lookup": None})
    made["verbs"]["tracker.comment"]["request"]["body"] = "{params}"
    assert connect(made).verbs["tracker.comment"].params_schema == closed


def test_the_places_of_problems_can_be_found_in_the_file() -> None:
    made = changed("VERB/inspect/0/take/title", 5)
    (problem,) = problems(made)
    assert problem == (
        f"{VERB}.inspect[0].take.title: this should be a valid string, or this should be a mapping"
    )


def test_of_two_ways_to_write_a_value_only_the_meant_one_is_told() -> None:
    (problem,) = problems(changed("credential/send", {"header": "Host"}))
    assert problem.startswith("connectors.tracker.credential.send.header: ")

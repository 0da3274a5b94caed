import hashlib
import json
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.secret_scan import find_secrets, marks_secrets
from bot.core.tokens import TokenKind, spell_token

# Put together from parts, so that nothing here looks like a live credential.
LETTERS = "aB3dE5gH7jK9mN2pQ4rS6tU8vW1xY0zA" * 4
HEX = hashlib.sha256(b"sample").hexdigest()
DIGITS = "7284019356" * 3

SECRETS = {
    "private_key": "-----BEGIN " + "RSA PRIVATE " + "KEY-----\nMIIE",
    "age_key": "AGE-SECRET-" + "KEY-1" + "Q" * 58,
    "jwt": "ey" + "J" + LETTERS[:20] + ".ey" + "J" + LETTERS[:30] + "." + LETTERS[:43],
    "aws_access_key": "AK" + "IA" + "Q3EGRLZ7MNPX2VKT",
    "aws_secret_key": "aws_secret_" + "access_key = " + LETTERS[:40],
    "github": "gh" + "p_" + LETTERS[:36],
    "gitlab": "gl" + "pat-" + LETTERS[:20],
    "slack": "xo" + "xb-" + DIGITS[:12] + "-" + LETTERS[:24],
    "slack_webhook": "https://hooks.slack" + ".com/services/T0000/B0000/" + LETTERS[:24],
    "teams_webhook": "https://x.webhook.office" + ".com/webhookb2/" + HEX,
    "discord_webhook": "https://discord.com/api" + "/webhooks/" + DIGITS[:18] + "/" + LETTERS[:68],
    "discord": LETTERS[:24] + "." + LETTERS[:6] + "." + LETTERS[:27],
    "google_api_key": "AI" + "za" + LETTERS[:35],
    "google_oauth": "GOC" + "SPX-" + LETTERS[:28],
    "google_service_account": '{"type": "service_' + 'account", "private_' + 'key_id": "a1"}' + HEX,
    "azure_storage": "Account" + "Key=" + LETTERS[:86] + "==",
    "azure_signature": "https://x.blob.core.example/c?sv=1&" + "sig=" + LETTERS[:43] + "%3D",
    "azure_client_secret": "abc" + "8Q" + "~" + LETTERS[:34],
    "stripe": "sk_" + "live_" + LETTERS[:24],
    "webhook_signing": "wh" + "sec_" + LETTERS[:32],
    "anthropic": "sk-" + "ant-api03-" + LETTERS[:80],
    "openai": "sk-" + "proj-" + LETTERS[:48],
    "npm": "np" + "m_" + LETTERS[:36],
    "pypi": "py" + "pi-AgE" + LETTERS[:90],
    "twilio": "S" + "K" + HEX[:32],
    "sendgrid": "S" + "G." + LETTERS[:22] + "." + LETTERS[:43],
    "mailgun": "ke" + "y-" + HEX[:32],
    "mailchimp": HEX[:32] + "-u" + "s12",
    "telegram": DIGITS[:9] + ":A" + "A" + LETTERS[:33],
    "heroku": "HR" + "KU-" + LETTERS[:36],
    "hugging_face": "h" + "f_" + LETTERS[:34],
    "digitalocean": "dop" + "_v1_" + HEX,
    "shopify": "shp" + "at_" + HEX[:32],
    "docker_hub": "dckr" + "_pat_" + LETTERS[:27],
    "vault": "hv" + "s." + LETTERS[:90],
    "atlassian": "ATA" + "TT3" + LETTERS[:90],
    "grafana": "gl" + "sa_" + LETTERS[:32],
    "linear": "lin_" + "api_" + LETTERS[:40],
    "notion": "nt" + "n_" + LETTERS[:46],
    "databricks": "da" + "pi" + HEX[:32],
    "keyturn": spell_token(TokenKind.AGENT, bytes(range(24))),
    "password_in_url": "postgres://app:" + "s3cr3tW0rd" + "@db.example/x",
    "authorization_header": "Authorization: " + "Bearer " + LETTERS[:32],
    "assigned_password": "password" + " = " + "tr0ub4dor&3",
}
ALSO = {
    "github": ["gho_" + LETTERS[:36], "ghs_" + LETTERS[:36], "github_" + "pat_" + LETTERS[:60]],
    "slack": ["xo" + "xp-" + DIGITS[:24], "xa" + "pp-1-" + LETTERS[:40]],
    "stripe": ["rk_" + "live_" + LETTERS[:24]],
    "keyturn": [spell_token(kind, bytes(range(24))) for kind in TokenKind],
    "authorization_header": ["authorization: basic " + "dXNlcjpwNHNzdzByZA=="],
    "assigned_password": [
        '{"api_key": "' + LETTERS[:20] + '"}',
        "DB_PASSWORD: " + "x9!kLm2q",
        "client_secret=" + LETTERS[:16],
    ],
    "private_key": ["-----BEGIN " + "PRIVATE KEY-----", "-----BEGIN " + "OPENSSH PRIVATE KEY-----"],
}
ALL = [*SECRETS.items(), *((kind, each) for kind, more in ALSO.items() for each in more)]

CLEAN = [
    "",
    "The quarterly numbers are in; please review section 4.2 before Monday, at 14:30.",
    "Your password must have at least 12 characters. The secret: patience.",
    "password: required, token: string, api_key: optional",
    "To reset the password, go to https://example.com/account?step=2&ref=mail#top",
    "password=${DB_PASSWORD} token: env:FORUM_TOKEN secret=file:/run/secrets/db token=<your-token>",
    "Basic misunderstandings are the bearer of responsibilities.",
    "Ask the risk-assessment team about task-2024-onboarding-checklist-final-version-approved.",
    str(uuid.UUID(int=0x1234567890ABCDEF1234567890ABCDEF)),
    "urn:uuid:" + str(uuid.UUID(int=7)),
    "sha256:" + HEX,
    "commit " + hashlib.sha1(b"x", usedforsecurity=False).hexdigest() + " fixes it",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "sk-loading-indicator-wrapper-container-element-big",
    "forum:eng-help/threads/4711",
    "prp_01JD3K9VQ5W8Z2X4Y6A7B8C9D0",
    "https://example.com:8443/a/b?c=d@e",
    "mail dana@example.com or call 555-0100 before 10:00",
    "Asia and AKIA are words; so are eyJ, glpat- and xoxb.",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8sZ7m3 dana@laptop",
    "-----BEGIN CERTIFICATE-----\nMIIB",
    "def token(x): return x.tokens[0].value == 'name'",
]


def test_at_least_thirty_kinds_are_known():
    assert len(SECRETS) >= 30


@pytest.mark.parametrize(("kind", "secret"), ALL, ids=[kind for kind, _ in ALL])
@pytest.mark.parametrize("around", ["{}", "please use {} for it, thanks", "a\n{}\nb", '"{}"'])
def test_a_secret_is_found_wherever_it_stands(kind: str, secret: str, around: str):
    text = around.replace("{}", secret)
    assert kind in {found.kind for found in find_secrets(text)}
    nested = {"verb": "mail.send", "params": {"to": ["x"], "body": [{"a/b~c": text}]}}
    found = {each.kind: each.path for each in find_secrets(nested)}
    assert found[kind] == "/params/body/0/a~1b~0c"


@pytest.mark.parametrize(("kind", "secret"), ALL, ids=[kind for kind, _ in ALL])
def test_what_is_reported_never_holds_the_secret(kind: str, secret: str):
    for value in ({"k": secret}, {secret: {secret: secret}}):
        found = find_secrets(value)
        assert kind in {each.kind for each in found}
        assert secret not in repr(found)
        assert secret.replace("/", "~1") not in repr(found)


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_text_is_not_a_secret(text: str):
    assert find_secrets({"body": text, "tags": [text]}) == ()


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_any_value_can_be_looked_at(value: object):
    for found in find_secrets(value, schema={"properties": {"a": {"writeOnly": True}}}):  # type: ignore[arg-type]
        assert found.path == "" or found.path.startswith("/")


@given(st.uuids(), st.binary(min_size=20, max_size=64))
def test_identifiers_and_digests_are_not_secrets(identifier: uuid.UUID, data: bytes):
    value = {"id": str(identifier), "etag": data.hex(), "sha256": hashlib.sha256(data).hexdigest()}
    assert find_secrets(value) == ()
    assert find_secrets(json.dumps(value)) == ()


@pytest.mark.parametrize("name", ["password", "smtp_password", "clientSecret", "apiKey", "TOKEN"])
def test_a_member_named_like_a_secret_is_one_when_its_value_is_random(name: str):
    (found,) = find_secrets({"params": {name: "x9kLm2qT"}})
    assert found.path == f"/params/{name}"
    assert find_secrets({"params": {name: "the usual one"}}) == ()
    assert find_secrets({"params": {name: "env:SMTP_PASSWORD_2"}}) == ()


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "pin": {"type": "string", "format": "password"},
        "keys": {"type": "array", "items": {"properties": {"k": {"writeOnly": True}}}},
        "pair": {"prefixItems": [{}, {"writeOnly": True}]},
        "ref": {"$ref": "#/$defs/hidden"},
        "loop": {"$ref": "#"},
        "either": {"anyOf": [{"type": "null"}, {"writeOnly": True}]},
    },
    "additionalProperties": {"format": "password"},
    "$defs": {"hidden": {"writeOnly": True, "$ref": "#/$defs/hidden"}},
}


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ({"name": "1234"}, []),
        ({"pin": "1234"}, ["/pin"]),
        ({"pin": ""}, []),
        ({"pin": None}, []),
        ({"keys": [{"k": "a"}, {"k": ""}, {"k": 7}]}, ["/keys/0/k", "/keys/2/k"]),
        ({"pair": ["a", "b"]}, ["/pair/1"]),
        ({"ref": {"a": 1}}, ["/ref"]),
        ({"loop": {"loop": {"pin": "a"}}}, ["/loop/loop/pin"]),
        ({"either": "a"}, ["/either"]),
        ({"other": "a"}, ["/other"]),
    ],
)
def test_what_the_schema_marks_is_a_secret_unless_it_is_empty(value: dict, paths: list[str]):
    assert [found.path for found in find_secrets(value, schema=SCHEMA)] == paths
    assert {found.kind for found in find_secrets(value, schema=SCHEMA)} <= {"marked_by_schema"}


def test_whether_a_schema_marks_anything_is_known_beforehand():
    assert marks_secrets(SCHEMA)
    assert not marks_secrets({"properties": {"name": {"type": "string", "format": "email"}}})


@pytest.mark.parametrize(
    "text",
    [
        "aws key " * 130_000,
        "://a:" * 200_000,
        "eyJaaaaaaaa." * 90_000,
        "password:" * 110_000,
        "sk-" + "a-" * 500_000,
        "_" * 1_000_000 + "8Q~",
        "bearer " + "a" * 1_000_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_megabyte_made_to_be_slow_is_not(text: str):
    started = time.process_time()
    find_secrets(text)
    assert time.process_time() - started < 5

"""Secrets have no place in a proposal: people, logs and cards would see them.

`find_secrets` says where one is and of which kind, never what it is. It looks at what the verb's
schema marks as secret, and for the forms in which services hand out credentials. Identifiers,
digests and prose are not secrets; a detector that cried at them would soon be turned off.
"""

import math
import re
import string
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.canonical import Json

_MARKED: Final = "marked_by_schema"
_ASSIGNED: Final = "assigned_password"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFound:
    """``path`` is a JSON pointer into the value, with ``*`` for a key that is itself a secret."""

    path: str
    kind: str


def _anything(_secret: str) -> bool:
    return True


def _looks_random(secret: str) -> bool:
    """Tell whether *secret* is more like a password than like a word or a placeholder."""
    if secret.startswith(_PLACEHOLDERS) or not any(map(str.isdigit, secret)):
        return False
    shares = [count / len(secret) for count in Counter(secret).values()]
    return -sum(share * math.log2(share) for share in shares) >= _MIN_BITS_PER_CHAR


def _looks_encoded(secret: str) -> bool:
    """Tell whether *secret* is more like base64 than like a long word."""
    return any(char.isdigit() or char == "=" for char in secret) or len(_CAMEL.findall(secret)) > 1


_CAMEL: Final = re.compile("[a-z][A-Z]")
_MIN_BITS_PER_CHAR: Final = 2.4
_PLACEHOLDERS: Final = ("$", "{", "<", "[", "(", "%", "*", "env:", "file:", "http:", "https:")


@dataclass(frozen=True, slots=True)
class _Detector:
    """Looks with ``form`` only into text that contains one of ``hints``.

    The first group of ``form``, or all of it, must also pass ``test``.
    """

    kind: str
    hints: tuple[str, ...]
    form: re.Pattern[str]
    test: Callable[[str], bool] = _anything

    def finds_in(self, text: str) -> bool:
        return any(self.test(found[found.lastindex or 0]) for found in self.form.finditer(text))


def _detector(
    kind: str, hints: str, form: str, test: Callable[[str], bool] = _anything
) -> _Detector:
    return _Detector(kind, tuple(hints.split()), re.compile(form), test)


_START: Final = r"(?<![A-Za-z0-9_-])"
_AUTHORIZATION: Final = r"(?i)\b(?:bearer|basic)\s+([\w.~+/=-]{16,})"
_END: Final = r"(?![A-Za-z0-9])"

# Where a clean text costs nothing: these have a long run of token characters, with a hint in it.
_TOKENS: Final = (
    _detector("age_key", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    # From its middle: whoever begins at each "eyJ" of a long word looks through all of it anew.
    _detector("jwt", ".eyJ", r"(?<=[\w-]{8}\.)eyJ[\w-]{8,}\.[\w-]{8,}"),
    _detector("aws_access_key", "AKIA ASIA", _START + r"A(?:KI|SI)A[A-Z2-7]{16}" + _END),
    _detector("github", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{30,}"),
    _detector("github", "github_pat_", r"github_pat_\w{30,}"),
    _detector("gitlab", "glpat- gldt- glrt-", r"gl(?:pat|dt|rt)-[\w-]{20,}"),
    _detector("slack", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    _detector("slack", "xapp-", r"xapp-\d-[A-Za-z0-9-]{20,}"),
    _detector("discord", ".", r"\.(?<=[\w-]{24}\.)[\w-]{6}\.[\w-]{27,38}(?![\w.-])", _looks_random),
    _detector("google_api_key", "AIza", r"AIza[\w-]{35}"),
    _detector("google_oauth", "ya29. GOCSPX-", r"ya29\.[\w-]{20,}|GOCSPX-[\w-]{24,}"),
    _detector("azure_client_secret", "8Q~", r"[\w~.-]{3}8Q~[\w~.-]{31,34}"),
    _detector("stripe", "k_live_ k_test_", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    _detector("webhook_signing", "whsec_", r"whsec_[A-Za-z0-9+/=_-]{24,}"),
    _detector("anthropic", "sk-ant-", r"sk-ant-[\w-]{20,}"),
    _detector(
        "openai",
        "sk-",
        _START + r"sk-(?!ant-)(?:proj-|svcacct-|admin-)?([\w-]{32,})",
        _looks_random,
    ),
    _detector("npm", "npm_", r"npm_[A-Za-z0-9]{36}" + _END),
    _detector("pypi", "pypi-", r"pypi-AgE[\w-]{50,}"),
    _detector("twilio", "SK", _START + r"SK[0-9a-f]{32}" + _END),
    _detector("sendgrid", "SG.", r"SG\.[\w-]{16,}\.[\w-]{32,}"),
    _detector("mailgun", "key-", _START + r"key-[0-9a-f]{32}" + _END),
    _detector("mailchimp", "-us", _START + r"[0-9a-f]{32}-us\d{1,2}" + _END),
    _detector("telegram", "AA", r"(?<!\d)\d{8,10}:AA[\w-]{32,33}" + _END),
    _detector("heroku", "HRKU-", r"HRKU-[\w-]{30,}"),
    _detector("hugging_face", "hf_", _START + r"hf_[A-Za-z0-9]{30,}"),
    _detector("digitalocean", "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _detector("shopify", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _detector("docker_hub", "dckr_pat_", r"dckr_pat_[\w-]{20,}"),
    _detector("vault", "hvs. hvb.", _START + r"hv[sb]\.[\w-]{24,}"),
    _detector("atlassian", "ATATT3", r"ATATT3[\w=-]{40,}"),
    _detector("grafana", "glsa_ glc_", r"gl(?:sa|c)_[\w=+/]{30,}"),
    _detector("linear", "lin_api_", r"lin_api_[A-Za-z0-9]{30,}"),
    _detector("notion", "ntn_", _START + r"ntn_[A-Za-z0-9]{40,}"),
    _detector("databricks", "dapi", _START + r"dapi[0-9a-f]{32}"),
    _detector("keyturn", "kta_ ktm_ ktr_ kts_ ktv_ ktx_", _START + r"kt[amrsvx]_[\w-]{16,}"),
)

# These have a long run too, and a hint in lower case somewhere.
_NEAR_TOKENS: Final = (
    _detector(
        "slack_webhook",
        "hooks.slack.com/",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/]{20,}",
    ),
    _detector(
        "teams_webhook", "webhook.office.com/", r"webhook\.office\.com/webhookb2/[\w@/-]{40,}"
    ),
    _detector("discord_webhook", "/api/webhooks/", r"/api/webhooks/\d{15,}/[\w-]{40,}"),
    _detector(
        "google_service_account",
        "service_account",
        r"\"service_account\"[\s\S]{0,200}\"private_key(?:_id)?\"\s*:\s*\"[^\"]",
    ),
    _detector("authorization_header", "bearer basic", _AUTHORIZATION, _looks_encoded),
)

# These have ":" or "=", in the text or between a name and its value, and a hint in lower case.
_ASSIGNMENTS: Final = (
    _detector("authorization_header", "authorization", _AUTHORIZATION, _looks_encoded),
    _detector("azure_storage", "accountkey=", r"AccountKey=[A-Za-z0-9+/]{40,}"),
    _detector("azure_signature", "sig=", r"[?&]sig=[A-Za-z0-9%+/]{30,}"),
    _detector(
        "password_in_url",
        "@",
        r"://[^\s/:@?#]*:([^\s/@?#]+)@[^\s/]",
        lambda secret: not secret.startswith(_PLACEHOLDERS),
    ),
    _detector(
        "aws_secret_key",
        "aws",
        r"(?i)aws[\w .-]{0,20}(?:secret|key)[\w .-]{0,20}[\"']?\s{0,4}[=:]\s{0,4}[\"']?"
        r"([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
        _looks_random,
    ),
    _detector(
        _ASSIGNED,
        "passw pwd secret token apikey api_key api-key access_key",
        r"(?i)(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|access_key)"
        r"[\"']?\s{0,4}(?::=|=>|=|:)\s{0,4}[\"']?([^\s\"'<>,;]{6,})",
        _looks_random,
    ),
)

_PRIVATE_KEY: Final = _detector(
    "private_key", "-----BEGIN", r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
)


_PRIVATE_KEY_BLOCK: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]*?-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|[\s\S]*)"
)
_WORD: Final = frozenset(string.ascii_letters + string.digits + "_-.~+/%")
_IN_PLACE: Final = "[a secret]"


def find_secrets(value: Json, *, schema: Json | None = None) -> tuple[SecretFound, ...]:
    """Return the secrets in *value*, in order of appearance, each place and kind once.

    *schema* is the JSON Schema of *value*: what it marks ``writeOnly`` or ``"format": "password"``
    is a secret unless it is empty. Leave out one of which `marks_secrets` is false: walking it
    costs more than all detectors.
    """
    found = list(_marked(value, schema, "", _Document(schema))) if schema is not None else []
    detectors = _hinted(value)
    if detectors:
        found += _detected(value, "", detectors)
    return tuple(dict.fromkeys(found))


def without_secrets(text: str) -> str:
    """Return *text* with every secret in it replaced by ``[a secret]``.

    For words that go out all the same, such as an error that quotes what was asked for.
    """
    shown, end = "", 0
    for start, stop in _merged(_spans(text)):
        shown += text[end:start] + _IN_PLACE
        end = stop
    return shown + text[end:]


def marks_secrets(schema: Json) -> bool:
    """Tell whether *schema* marks anything as secret, for asking once when a verb is loaded."""
    nodes: list[Json] = [schema]
    for node in nodes:  # grows while it is read
        if isinstance(node, Mapping):
            if _is_mark(node):
                return True
            nodes += node.values()
        elif isinstance(node, Sequence) and not isinstance(node, str):
            nodes += node
    return False


def _is_mark(schema: Mapping[str, Json]) -> bool:
    return schema.get("writeOnly") is True or schema.get("format") == "password"


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where secrets are, each to the end of the word it is in."""
    for detector in _hinted(text):
        if detector is _PRIVATE_KEY:
            yield from (found.span() for found in _PRIVATE_KEY_BLOCK.finditer(text))
            continue
        for found in detector.form.finditer(text):
            group = found.lastindex or 0
            if detector.test(found[group]):
                start, stop = found.span(group)
                while start and text[start - 1] in _WORD:
                    start -= 1
                while stop < len(text) and text[stop] in _WORD:
                    stop += 1
                yield start, stop


def _merged(spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    end = 0
    for start, stop in sorted(spans):
        if stop > end:
            yield max(start, end), stop
            end = stop


def _strings(value: Json) -> tuple[list[str], list[str]]:
    """Return the texts in *value* and the names of its members."""
    texts: list[str] = []
    names: list[str] = []
    nodes: list[Json] = [value]
    for node in nodes:  # grows while it is read
        if isinstance(node, str):
            texts.append(node)
        elif isinstance(node, Mapping):
            names += node
            nodes += node.values()
        elif isinstance(node, Sequence):
            nodes += node
    return texts, names


def _hinted(value: Json) -> list[_Detector]:
    """Return the detectors that may find something; for most proposals, none.

    Looking for each hint in all of the text would take longer than the rest of a submit.
    """
    texts, names = _strings(value)
    text = "\n".join(texts + names)
    hinted = [_PRIVATE_KEY] if "-----BEGIN" in text else []
    long_runs = _long_runs(text)
    if long_runs:
        hinted += [
            detector
            for hint, detector in _TOKEN_HINTS
            if hint in long_runs and detector.form.search(text)
        ]
        lowered = text.lower()
        hinted += [detector for hint, detector in _NEAR_TOKEN_HINTS if hint in lowered]
    assigning = [each for each in texts if ":" in each or "=" in each]
    lowered = "\n".join(assigning + names).lower()
    hinted += [detector for hint, detector in _ASSIGNMENT_HINTS if hint in lowered]
    return hinted


def _long_runs(text: str) -> str:
    """Return the long runs of token characters in *text*, found without a look at each word."""
    raw = text.encode("utf-8", "surrogatepass")
    shape = raw.translate(_SHAPE)
    runs = []
    start = shape.find(_LONG_RUN)
    while start >= 0:
        stop = shape.find(b" ", start)
        if stop < 0:
            stop = len(shape)
        runs.append(raw[start:stop])
        start = shape.find(_LONG_RUN, stop)
    return b" ".join(runs).decode("ascii")


_TOKEN_BYTES: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.~"
)
_SHAPE: Final = bytes(ord("x") if byte in _TOKEN_BYTES else ord(" ") for byte in range(256))
_LONG_RUN: Final = b"x" * 14  #: the shortest form that _TOKENS know is longer

_TOKEN_HINTS: Final = tuple((hint, each) for each in _TOKENS for hint in each.hints)
_NEAR_TOKEN_HINTS: Final = tuple((hint, each) for each in _NEAR_TOKENS for hint in each.hints)
_ASSIGNMENT_HINTS: Final = tuple((hint, each) for each in _ASSIGNMENTS for hint in each.hints)


def _detected(value: Json, path: str, detectors: Sequence[_Detector]) -> Iterator[SecretFound]:
    if isinstance(value, str):
        for kind in _kinds_in(value, detectors):
            yield SecretFound(path=path, kind=kind)
    elif isinstance(value, Mapping):
        for key, child in value.items():
            in_key = _kinds_in(key, detectors)
            child_path = f"{path}/*" if in_key else _below(path, key)
            for kind in in_key:
                yield SecretFound(path=child_path, kind=kind)
            if isinstance(child, str):
                # What a member's name says of it is what an assignment in text would say.
                for kind in _kinds_in(f'{key}: "{child}"', detectors):
                    if kind not in in_key:
                        yield SecretFound(path=child_path, kind=kind)
            else:
                yield from _detected(child, child_path, detectors)
    elif isinstance(value, Sequence):
        for index, child in enumerate(value):
            yield from _detected(child, f"{path}/{index}", detectors)


def _kinds_in(text: str, detectors: Sequence[_Detector]) -> list[str]:
    return list(dict.fromkeys(each.kind for each in detectors if each.finds_in(text)))


class _Document:
    """The whole schema, in which ``$ref`` points."""

    def __init__(self, schema: Json) -> None:
        self._schema = schema

    def at(self, reference: str) -> Json:
        node = self._schema
        for step in reference.removeprefix("#").split("/")[1:]:
            if not isinstance(node, Mapping):
                return None
            node = node.get(step.replace("~1", "/").replace("~0", "~"))
        return node


def _marked(value: Json, schema: Json, path: str, document: _Document) -> Iterator[SecretFound]:
    for part in _parts(schema, document):
        if _is_mark(part) and value not in (None, "", [], {}):
            yield SecretFound(path=path, kind=_MARKED)
        if isinstance(value, Mapping):
            named = part.get("properties")
            others = part.get("additionalProperties")
            for key, child in value.items():
                known = named.get(key) if isinstance(named, Mapping) else None
                yield from _marked(
                    child, known if known is not None else others, _below(path, key), document
                )
        elif isinstance(value, Sequence) and not isinstance(value, str):
            first = part.get("prefixItems")
            first = first if isinstance(first, Sequence) else ()
            for index, child in enumerate(value):
                items = first[index] if index < len(first) else part.get("items")
                yield from _marked(child, items, f"{path}/{index}", document)


def _parts(schema: Json, document: _Document) -> Iterator[Mapping[str, Json]]:
    """Yield *schema* and all schemas that are applied in the same place, each reference once."""
    nodes, references = [schema], set[str]()
    for node in nodes:  # grows while it is read
        if not isinstance(node, Mapping):
            continue
        yield node
        for word in ("allOf", "anyOf", "oneOf"):
            applied = node.get(word)
            if isinstance(applied, Sequence):
                nodes += applied
        nodes += [node.get(word) for word in ("then", "else")]
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in references:
            references.add(reference)
            nodes.append(document.at(reference))


def _below(path: str, key: str) -> str:
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"

"""The zip that an admin uploads: whole, always the same, and what Microsoft's schema takes."""

import importlib.util
import io
import json
import shutil
import struct
import subprocess
import zipfile
import zlib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from adapters.teams.config import ChatSection
from adapters.teams.manifest import MAX_COMMANDS, OTHERS, SCOPES, VERSION, Role, manifest
from adapters.teams.package import build, read_package
from adapters.teams.package_section import PackageSection
from bot.core.command import Help, Link, Stop, help_lines, parse
from bot.core.errors import SettingsInvalid
from tests.cli.deployments import Deployment, make_deployment

PINNED = "@microsoft/app-manifest@1.1.2"
APP = "0a1b2c3d-1111-4222-8333-444455556666"
PACKAGE = {
    "developer": "Acme IT",
    "website_url": "https://keyturn.acme.net",
    "privacy_url": "https://acme.net/privacy",
    "terms_url": "https://acme.net/terms",
}
CODE = "link ABCD-EFGH-JK"


def made(role: Role, **changed: Any) -> dict[str, Any]:
    value = manifest(role, PackageSection(**{**PACKAGE, **changed}), app_id=APP)
    assert isinstance(value, dict)
    return deepcopy(dict(value))


def zipped(role: Role = Role.ASKS) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(build(role, PackageSection(**PACKAGE), app_id=APP)))


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Draft4Validator:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here to get Microsoft's schema of manifests with")
    folder = tmp_path_factory.mktemp("schema")
    (folder / "package.json").write_text('{"private": true}')
    got = subprocess.run(
        [npm, "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", PINNED],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if got.returncode:
        pytest.skip(f"npm could not get {PINNED}: {got.stderr.strip()[-200:]}")
    schemas = folder / "node_modules/@microsoft/app-manifest/build/json-schemas/teams"
    file = schemas / f"v{VERSION}/MicrosoftTeams.schema.json"
    return Draft4Validator(json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("role", list(Role))
def test_microsofts_schema_takes_the_manifest(schema: Draft4Validator, role: Role) -> None:
    assert [error.message for error in schema.iter_errors(made(role))] == []
    # The draft that the schema names has no `const`, so a validator does not look at this.
    assert schema.schema["properties"]["manifestVersion"]["const"] == VERSION


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "not-a-guid"),
        ("name", {"short": "x" * 31}),
        ("description", {"short": "x" * 81, "full": "x"}),
        ("bots", [{"botId": APP, "scopes": ["everywhere"]}]),
        ("accentColor", "green"),
        ("keyturn", True),
    ],
)
def test_the_schema_would_say_what_is_wrong(schema: Draft4Validator, key: str, value: Any) -> None:
    assert list(schema.iter_errors({**made(Role.ASKS), key: value})) != []


def test_the_longest_values_that_the_settings_take_fit_the_schema(schema: Draft4Validator) -> None:
    longest = made(
        Role.WRITES, name="n" * 30, developer="d" * 32, terms_url="https://" + "t" * 2_040
    )
    assert [error.message for error in schema.iter_errors(longest)] == []


@pytest.mark.parametrize("role", list(Role))
def test_the_texts_fit_what_teams_shows(role: Role) -> None:
    app = made(role)
    assert len(app["name"]["short"]) <= 30
    assert len(app["description"]["short"]) <= 80
    assert len(app["description"]["full"]) <= 4_000


def test_every_command_that_teams_suggests_is_one_that_works() -> None:
    (commands,) = made(Role.ASKS)["bots"][0]["commandLists"]
    assert commands["scopes"] == ["personal"]
    words = [one["title"] for one in commands["commands"]]
    assert len(words) == len(set(words)) <= MAX_COMMANDS
    assert set(words) == {typed.split()[0] for typed, _ in help_lines("Teams")}
    asked = {word: parse(CODE if word == "link" else word) for word in words}
    assert isinstance(asked["link"], Help | Link)
    assert asked["stop"] == Stop()
    assert {word for word, it in asked.items() if isinstance(it, Help) and it.problem} <= {"link"}


def test_the_app_that_asks_and_the_app_that_writes_ask_for_no_more_than_they_need() -> None:
    for role in Role:
        app = made(role)
        (bot,) = app["bots"]
        assert bot["scopes"] == list(SCOPES[role])
        assert app["validDomains"] == []
        assert app["webApplicationInfo"] == {"id": APP}
        assert not {"permissions", "authorization", "staticTabs", "composeExtensions"} & set(app)
    assert made(Role.ASKS)["bots"][0]["scopes"][0] == "personal"
    assert "commandLists" not in made(Role.WRITES)["bots"][0]


def test_every_permission_and_its_reason_stand_in_the_readme(repo: Path) -> None:
    text = (repo / "manifests/teams/README.md").read_text(encoding="utf-8")
    told = [(name, why) for role in Role for name, why in SCOPES[role].items()] + [*OTHERS.items()]
    assert [name for name, why in told if f"`{name}`" not in text or why not in text] == []


def test_the_zip_has_the_manifest_and_both_icons_at_its_root() -> None:
    with zipped() as archive:
        assert archive.namelist() == ["manifest.json", "color.png", "outline.png"]
        told = json.loads(archive.read("manifest.json"))
        assert told == made(Role.ASKS)
        assert set(told["icons"].values()) == {"color.png", "outline.png"}


def test_the_same_settings_give_the_same_bytes() -> None:
    package = PackageSection(**PACKAGE)
    assert build(Role.ASKS, package, app_id=APP) == build(Role.ASKS, package, app_id=APP)
    with zipped() as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}


def test_the_icons_are_as_large_as_teams_wants_them() -> None:
    with zipped() as archive:
        colour = pixels(archive.read("color.png"))
        outline = pixels(archive.read("outline.png"))
    assert (len(colour), {len(row) for row in colour}) == (192, {192})
    assert (len(outline), {len(row) for row in outline}) == (32, {32})
    assert {len(pixel) for row in colour for pixel in row} == {3}  # nothing shines through
    drawn = {pixel for row in outline for pixel in row}
    assert {pixel[:3] for pixel in drawn} == {(255, 255, 255)}
    assert {0, 255} <= {pixel[3] for pixel in drawn}
    assert outline[0][0][3] == 0


def test_the_icons_are_what_the_script_draws(repo: Path) -> None:
    spec = importlib.util.spec_from_file_location("drawn", repo / "manifests/teams/draw_icons.py")
    assert spec is not None
    assert spec.loader is not None
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    kept = repo / "adapters/teams/icons"
    assert pixels(drawing.color()) == pixels((kept / "color.png").read_bytes())
    assert pixels(drawing.outline()) == pixels((kept / "outline.png").read_bytes())


def pixels(png: bytes) -> list[list[tuple[int, ...]]]:
    """Return the pixels of a PNG without filters, of 8 bits a channel."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = dict[bytes, bytes](), 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length) == (zlib.crc32(name + content),)
        chunks[name], at = content, at + 12 + length
    width, height, depth, kind, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert depth == 8
    channels = {2: 3, 6: 4}[kind]
    raw = zlib.decompress(chunks[b"IDAT"])
    line = width * channels + 1
    assert len(raw) == line * height
    rows = [raw[at : at + line] for at in range(0, len(raw), line)]
    assert {row[0] for row in rows} == {0}
    return [[tuple(row[at : at + channels]) for at in range(1, line, channels)] for row in rows]


@pytest.mark.parametrize(
    ("section", "places"),
    [
        ({"package": PACKAGE}, ["chats.teams.app_id"]),
        ({"app_id": "keyturn", "package": PACKAGE}, ["chats.teams.app_id"]),
        (
            {"app_id": APP},
            [f"chats.teams.package.{key}" for key in PACKAGE],
        ),
        (
            {"app_id": APP, "package": {**PACKAGE, "privacy_url": "http://acme.net/privacy"}},
            ["chats.teams.package.privacy_url"],
        ),
        (
            {"app_id": APP, "package": {**PACKAGE, "terms_url": "acme.net"}},
            ["chats.teams.package.terms_url"],
        ),
        (
            {"app_id": APP, "package": {**PACKAGE, "name": "n" * 31}},
            ["chats.teams.package.name"],
        ),
        (
            {"app_id": APP, "package": {**PACKAGE, "version": "1"}},
            ["chats.teams.package.version"],
        ),
        (
            {"app_id": APP, "package": {**PACKAGE, "app": "x", "colour": "red"}},
            ["chats.teams.package.app", "chats.teams.package.colour"],
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named_with_its_place(
    section: dict[str, Any], places: list[str]
) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        read_package(section, place="chats.teams")
    assert [one.partition(": ")[0] for one in raised.value.problems] == places


def test_the_chat_takes_the_section_that_the_package_needs() -> None:
    section = ChatSection.model_validate(
        {"app_id": APP, "tenant": APP, "app_password": "env:TEAMS", "package": PACKAGE}
    )
    assert section.package == PackageSection(**PACKAGE)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    deployment = make_deployment(tmp_path_factory.mktemp("packing") / "keyturn-data")
    section = {"app_id": APP, "tenant": APP, "app_password": "env:TEAMS", "package": PACKAGE}
    writer = {"type": "teams", "app_id": APP[::-1], "package": {**PACKAGE, "name": "Acme posts"}}
    chats = json.dumps({"teams": section, "web": {}})
    text = deployment.config.read_text().replace("chats:\n  web: {}\n", f"chats: {chats}\n")
    text = text.replace("connectors: {}\n", f"connectors: {json.dumps({'posts': writer})}\n")
    deployment.config.write_text(text)
    return deployment


def test_the_command_writes_the_package_and_says_what_each_permission_is_for(
    deployment: Deployment, tmp_path: Path
) -> None:
    ran = deployment.run("teams", "package", "--out", str(tmp_path / "app.zip"))
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "app.zip").read_bytes() == build(
        Role.ASKS, PackageSection(**PACKAGE), app_id=APP
    )
    assert all(why in ran.stderr for why in SCOPES[Role.ASKS].values())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--connector", "posts"), "connectors.posts.app_id"),
        (("--connector", "nobody"), "connectors.nobody"),
        (("--out", "no/such/folder/app.zip"), "no/such/folder"),
    ],
)
def test_the_command_refuses_in_words(
    deployment: Deployment, words: tuple[str, ...], says: str
) -> None:
    ran = deployment.run("teams", "package", *words)
    assert ran.returncode != 0
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr

"""The app package: a zip with the manifest and both icons, the same bytes for the same settings."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from importlib.resources import files
from io import BytesIO
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.teams.config import Guid
from adapters.teams.manifest import COLOR_ICON, OUTLINE_ICON, Role, manifest
from adapters.teams.package_section import PackageSection
from bot.core.errors import SettingsInvalid
from bot.core.section_problems import words_for

MANIFEST: Final = "manifest.json"
#: The oldest moment that a zip can name: when it was built is nobody's business.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_ICONS: Final = "icons"
_REGULAR_FILE: Final = 0o100644 << 16
_UNIX: Final = 3


class _Told(BaseModel):
    """The part of a section that the package is made from; the rest is not looked at."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    app_id: Guid
    package: PackageSection


def build(role: Role, package: PackageSection, *, app_id: str) -> bytes:
    """Return the zip that an admin uploads to Teams."""
    icons = files(__package__) / _ICONS
    text = json.dumps(manifest(role, package, app_id=app_id), ensure_ascii=False, indent=2)
    members = {
        MANIFEST: f"{text}\n".encode(),
        **{name: (icons / name).read_bytes() for name in (COLOR_ICON, OUTLINE_ICON)},
    }
    written = BytesIO()
    # Stored as it is: what a compressor makes of it depends on who built that.
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, date_time=_NO_TIME)
            member.create_system, member.external_attr = _UNIX, _REGULAR_FILE
            archive.writestr(member, content)
    return written.getvalue()


def read_package(section: Mapping[str, Any], *, place: str) -> tuple[str, PackageSection]:
    """Return the app id and what the app tells about itself, from the section at *place*.

    Raises:
        SettingsInvalid: with everything that is missing or wrong, each with its place.
    """
    try:
        told = _Told.model_validate({"package": {}, **section})
    except ValidationError as error:
        raise SettingsInvalid(
            "The package cannot be built.", problems=list(_in_words(error, place))
        ) from None
    return told.app_id, told.package


def _in_words(error: ValidationError, place: str) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False):
        where = ".".join([place, *map(str, detail["loc"])])
        match detail["type"]:
            case "missing":
                words = f"this is missing: add it, such as {_EXAMPLES[str(detail['loc'][-1])]}"
            case "string_too_long":
                words = f"write at most {detail['ctx']['max_length']} characters"
            case "string_pattern_mismatch":
                key = str(detail["loc"][-1])
                words = f"write it like {_EXAMPLES[key]}"
            case _:
                words = words_for(detail)
        yield f"{where}: {words}"


_EXAMPLES: Final = {
    "app_id": "the bot's app id in Entra, 8-4-4-4-12 digits",
    "package": "a mapping with developer and three addresses",
    "developer": "Acme IT",
    "name": "Keyturn",
    "website_url": "https://keyturn.your-company.net",
    "privacy_url": "https://your-company.net/privacy",
    "terms_url": "https://your-company.net/terms",
    "version": "1.0.1",
    "app": "an id of its own, 8-4-4-4-12 digits",
}

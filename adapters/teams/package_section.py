"""The section ``package`` of the chat and of a connector: what the app tells about itself."""

from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

#: What Teams' own schema of manifests allows, in characters.
MAX_NAME: Final = 30
MAX_DEVELOPER: Final = 32
MAX_URL: Final = 2_048


def _https(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise ValueError("this should be an address that begins with https://")
    return url


Shown: TypeAlias = Annotated[str, Field(pattern=r"^\S(?:[^\u0000-\u001f\u007f]*\S)?$")]
Page: TypeAlias = Annotated[str, Field(max_length=MAX_URL), AfterValidator(_https)]


class PackageSection(BaseModel):
    """Teams shows all of it where people and admins look at the app.

    ``app`` is the id of the Teams app, where that is not to be the one of the bot.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    developer: Annotated[Shown, Field(max_length=MAX_DEVELOPER)]
    website_url: Page
    privacy_url: Page
    terms_url: Page
    name: Annotated[Shown, Field(max_length=MAX_NAME)] | None = None
    version: Annotated[str, Field(pattern=r"^(?:0|[1-9]\d{0,4})(?:\.(?:0|[1-9]\d{0,4})){2}$")] = (
        "1.0.0"
    )
    app: (
        Annotated[
            str,
            Field(pattern=r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"),
            AfterValidator(str.lower),
        ]
        | None
    ) = None

"""What is examined: a section of the settings, what its references hold, and what is around."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from adapters.slack.config import ChatSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the references of the section hold; "" where it has none."""

    bot_token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What else the settings say that Slack has to do with.

    ``groups`` are the user groups that the policy names; ``writers`` the tokens of connectors of
    type slack, by their place in the settings, each with its team.
    """

    public_url: str
    groups: Collection[str] = ()
    writers: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """``place`` is where ``section`` stands in the settings."""

    place: str
    section: ChatSection
    credentials: Credentials
    around: Around

    def at(self, key: str) -> str:
        """Return the full name of the setting *key*."""
        return f"{self.place}.{key}"

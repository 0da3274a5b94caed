"""What the doctor is told beside the section of the chat."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ssl import SSLContext

from adapters.teams.credentials import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A Teams account that is linked to ``person``, a handle."""

    person: str
    tenant: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A connector of type teams, as its section says."""

    app_id: str
    tenant: str
    login_url: str
    proof: Proof = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where the people's listener is on this machine; ``tls`` is None where a proxy speaks it."""

    host: str
    port: int
    tls: SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What else the settings and records say that Teams has to do with.

    ``probe_url`` is where this machine reaches the people's listener, if not at ``public_url``.
    ``groups`` are those that the policy names; ``accounts`` is None where they cannot be known;
    ``listener`` is None while a bot holds it.
    """

    public_url: str
    probe_url: str | None = None
    has_web_inbox: bool = True
    is_running: bool = False
    groups: Collection[str] = ()
    accounts: Sequence[Account] | None = ()
    writers: Mapping[str, Writer] = field(default_factory=dict)
    listener: Listener | None = None

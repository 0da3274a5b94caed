"""What a connector declares about each thing it can do, and what it observed before."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum, unique

from bot.core.canonical import Digest, Json
from bot.core.frozen import frozen


@unique
class Kind(StrEnum):
    """What a verb does to the world outside."""

    READ = "read"
    EGRESS = "egress"  #: reads, but carries data out in doing so
    WRITE = "write"
    DESTRUCTIVE = "destructive"
    PERMISSION = "permission"


@unique
class Reach(StrEnum):
    """How far what is written can be seen; the order is from narrow to wide."""

    PRIVATE = "private"
    ORGANISATION = "organisation"
    OUTSIDE = "outside"  #: somebody outside of the organisation, by name
    PUBLIC = "public"
    UNKNOWN = "unknown"  #: treated as the widest


_WIDTH = {reach: width for width, reach in enumerate(Reach)}


@frozen
class Audience:
    """Who will see the effect: the card's first line."""

    reach: Reach = Reach.UNKNOWN
    who: str = "It is not known who will see this"
    readers: int | None = None

    def is_wider_than(self, shown: "Audience") -> bool:
        """Return whether more people, or other people, would see it than *shown* said."""
        if _WIDTH[self.reach] != _WIDTH[shown.reach]:
            return _WIDTH[self.reach] > _WIDTH[shown.reach]
        if self.readers is not None and shown.readers is not None:
            return self.readers > shown.readers
        return self.who != shown.who


@frozen
class Facts:
    """What the connector observed for one action before anybody is asked.

    ``before`` is the current state of what would change, as plain values; None when the
    connector cannot see it. ``etag`` pins that state, where the target offers one.
    """

    audience: Audience = field(default_factory=Audience)
    before: Json = None
    etag: str | None = None


@frozen
class Preview:
    """What the card says about one action: made by the connector, from the action and facts.

    ``effect`` is one sentence of what will happen. ``target`` names the resource as people
    know it. ``reversible`` says in words whether it can be undone.
    """

    effect: str
    target: str
    reversible: str
    before: Json = None
    after: Json = None


@frozen
class Release:
    """A verb that Keyturn never carries out: the agent does, at the resource server ``audience``.

    When nobody has reported an outcome after ``report_within_s``, it is in doubt.
    """

    audience: str
    report_within_s: int = 300


@frozen
class Undo:
    """What a verb did can be taken back by ``verb`` of the same connector.

    A person may ask for that until ``window_s`` after it was done.
    """

    verb: str
    window_s: int


@frozen
class Verb:
    """One thing a connector can do; ``config_digest`` covers its whole resolved configuration."""

    name: str
    connector: str
    kind: Kind
    summary: str
    params_schema: Mapping[str, Json]
    resources: tuple[str, ...] = ("*",)
    idempotent: bool = False
    can_look_up: bool = False
    settles_after_s: int = 60
    config_digest: Digest
    #: Whether inspecting asks the target; free when it does not.
    inspects: bool = False
    #: To whom it is released; None for what the connector carries out itself.
    release: Release | None = None
    #: None for what cannot be taken back.
    undo: Undo | None = None

"""What a new deployment begins with: commented settings and policy, groups, a key."""

import os
import re
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from bot.cli import sample_forum
from bot.keys import SHELF_KEY, SHELF_KEY_BYTES

FORUM_FOLDER = "forum"

_SAMPLES = files("bot.cli") / "samples"
_WANTED_PORTS = {"agents_port": 8080, "people_port": 8081, "forum_port": 8082}
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Written:
    """``text`` is what belongs into ``path``, for its owner's eyes only."""

    path: Path
    text: str


def first_files(config: Path, *, with_forum: bool) -> Sequence[Written]:
    """Return every file that a deployment with the settings *config* begins with."""
    folder = config.parent
    ports = _free_ports()
    if with_forum:
        sample = Template(_sample("connectors.forum.yaml")).substitute(ports)
    else:
        sample = _sample("connectors.none.yaml")
    settings = Template(_sample("keyturn.yaml")).substitute(
        ports, deployment=_deployment(), connectors=sample.rstrip()
    )
    forum = folder / FORUM_FOLDER
    return (
        Written(config, settings),
        Written(folder / "policy.yaml", _sample("policy.yaml")),
        Written(folder / "groups.yaml", _sample("groups.yaml")),
        Written(folder / "keys" / SHELF_KEY, secrets.token_hex(SHELF_KEY_BYTES) + "\n"),
        *(
            [
                Written(
                    forum / sample_forum.CONFIG_FILE,
                    sample_forum.config_text(forum, port=ports["forum_port"]),
                )
            ]
            if with_forum
            else []
        ),
    )


def write(wanted: Sequence[Written]) -> None:
    """Write each of *wanted*; none may exist."""
    for one in wanted:
        one.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(one.path, one.text)


def write_private(path: Path, text: str, *, replace: bool = False) -> None:
    """Write *text* so that nobody but the owner can ever read it."""
    if replace:
        path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def write_missing(config: Path) -> Sequence[Path]:
    """Write what is not there yet, with the sample forum where it is installed, and return it."""
    is_new = not config.exists()
    with_forum = is_new and sample_forum.is_installed()
    missing = [one for one in first_files(config, with_forum=with_forum) if not one.path.exists()]
    write(missing)
    return [one.path for one in missing]


def _sample(name: str) -> str:
    return (_SAMPLES / name).read_text(encoding="utf-8")


def _deployment() -> str:
    host = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().partition(".")[0].lower()).strip("-")
    return f"keyturn-{host}"[:64].rstrip("-")


def _free_ports() -> Mapping[str, int]:
    """Return a port for each listener: the usual one, or the next that nobody listens on."""
    found: dict[str, int] = {}
    for name, wanted in _WANTED_PORTS.items():
        candidates = (p for p in range(wanted, wanted + _TRIES) if p not in found.values())
        found[name] = next((port for port in candidates if is_free(port)), wanted)
    return found


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether *port* can be listened on now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True

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

from adapters.file.log_state import state_text
from bot.cli import sample_forum
from bot.core.checkpoint import LOG_ID_BYTES, new_origin
from bot.core.signed_note import SECRET_BYTES, Signer
from bot.keys import (
    GRANT_KEY,
    GRANT_KEY_BYTES,
    LOG_KEY,
    LOG_STATE,
    SHELF_KEY,
    SHELF_KEY_BYTES,
    grant_key_files,
)
from bot.service.checkpoints import beginning

FORUM_FOLDER = "forum"
MODERATOR_KEY_BYTES = 32

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
    deployment = _deployment()
    settings = Template(_sample("keyturn.yaml")).substitute(
        ports, deployment=deployment, connectors=sample.rstrip()
    )
    forum = folder / FORUM_FOLDER
    keys = folder / "keys"
    # Where a newer one signs, the first may be gone for good.
    grant_key = next(iter(grant_key_files(keys)), keys / GRANT_KEY)
    return (
        Written(config, settings),
        Written(folder / "policy.yaml", _sample("policy.yaml")),
        Written(folder / "groups.yaml", _sample("groups.yaml")),
        Written(keys / SHELF_KEY, secrets.token_hex(SHELF_KEY_BYTES) + "\n"),
        Written(grant_key, secrets.token_hex(GRANT_KEY_BYTES) + "\n"),
        *log_files(folder, deployment=deployment),
        *(
            [
                Written(
                    forum / sample_forum.CONFIG_FILE,
                    sample_forum.config_text(forum, port=ports["forum_port"]),
                ),
                Written(
                    forum / sample_forum.MODERATOR_KEY,
                    secrets.token_urlsafe(MODERATOR_KEY_BYTES) + "\n",
                ),
            ]
            if with_forum
            else []
        ),
    )


def log_files(data_dir: Path, *, deployment: str, epoch: int = 0) -> Sequence[Written]:
    """Return the key of a new log, and the state in which it begins; neither without the other."""
    signer = Signer(
        new_origin(deployment, secrets.token_bytes(LOG_ID_BYTES)), secrets.token_bytes(SECRET_BYTES)
    )
    return (
        Written(data_dir / "keys" / LOG_KEY, signer.spell() + "\n"),
        Written(data_dir / LOG_STATE, state_text(beginning(signer, epoch=epoch))),
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
    wanted = first_files(config, with_forum=with_forum)
    log = {one.path for one in wanted if one.path.name in (LOG_KEY, LOG_STATE)}
    if any(path.exists() for path in log):
        # One of the two alone would pass for a log that has only begun.
        wanted = [one for one in wanted if one.path not in log]
    missing = [one for one in wanted if not one.path.exists()]
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

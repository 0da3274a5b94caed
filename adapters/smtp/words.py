"""What people are told about a mail: every address, every attachment, and who is outside."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from adapters.smtp.mailbox import Mailbox, MailboxRefused, mailbox_of
from adapters.smtp.params import RESOURCE, content_of
from bot.core.canonical import Json
from bot.core.proposal import Action
from bot.core.untrusted import Untrusted, one_line
from bot.core.verbs import Audience, Preview, Reach

REVERSIBLE: Final = "It cannot be taken back once it is sent."
_SHOWN_CHARS: Final = 400
_LISTS: Final = (("to", "To"), ("cc", "Cc"), ("bcc", "Bcc"))


def audience_of(recipients: Sequence[Mailbox], own_domains: Sequence[str]) -> Audience:
    """Return who gets it, all by name. An address may be a list: how many read it is not known."""
    outside = [str(one) for one in recipients if one.domain not in own_domains]
    inside = [str(one) for one in recipients if one.domain in own_domains]
    home = _or(own_domains)
    if not outside:
        return Audience(
            reach=Reach.ORGANISATION,
            who=f"{_count(inside)} inside {home}: {', '.join(inside)}",
        )
    who = f"{_count(outside)} outside {home}: {', '.join(outside)}"
    if inside:
        who += f"; and {len(inside)} inside: {', '.join(inside)}"
    return Audience(reach=Reach.OUTSIDE, who=who)


def preview_of(action: Action, own_domains: Sequence[str]) -> Preview:
    """Return what the card says, also for params that would never be sent."""
    to_whom = [one for name, _ in _LISTS for one in _texts(action.params, name)]
    outside = sum(not _is_inside(one, own_domains) for one in to_whom)
    attached = _attachments(action.params)
    effect = f"Send an e-mail to {_count(to_whom)}"
    if outside == len(to_whom) > 0:
        effect += f"{', all of them' if outside > 1 else ''} outside {_or(own_domains)}"
    elif outside:
        effect += f", {outside} of them outside {_or(own_domains)}"
    if attached:
        effect += f", with {len(attached)} attachment{'' if len(attached) == 1 else 's'}"
    return Preview(
        effect=effect,
        target=_target(action, attached),
        reversible=REVERSIBLE,
        after={"attachments": attached} if attached else None,
    )


def _target(action: Action, attached: Sequence[Mapping[str, Json]]) -> str:
    said = [f"From {_shown(action.resource.removeprefix(RESOURCE))}"]
    for name, word in _LISTS:
        if addresses := _texts(action.params, name):
            said.append(f"{word} {', '.join(map(_address, addresses))}")
    said += [
        f"Attached “{one['name']}” ({one['type']}, {one['size']}, SHA-256 {one['sha256']})"
        for one in attached
    ]
    return ". ".join(said)


def _attachments(params: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """Return a row for each; digest and size are those of the content, whatever was said of it."""
    listed = params.get("attachments")
    rows: list[Mapping[str, Json]] = []
    for one in listed if isinstance(listed, list | tuple) else ():
        row = one if isinstance(one, Mapping) else {}
        content = content_of(str(row.get("content_base64", "")))
        known = content is not None
        rows.append(
            {
                "name": _shown(str(row.get("name", ""))),
                "type": _shown(str(row.get("type", ""))),
                "size": f"{len(content):,} bytes" if content is not None else "size not known",
                "sha256": hashlib.sha256(content or b"").hexdigest() if known else "not known",
            }
        )
    return rows


def _is_inside(text: str, own_domains: Sequence[str]) -> bool:
    try:
        return mailbox_of(text).domain in own_domains
    except MailboxRefused:
        return False


def _address(text: str) -> str:
    try:
        return str(mailbox_of(text))
    except MailboxRefused:
        return _shown(text)


def _texts(params: Mapping[str, Json], name: str) -> list[str]:
    value = params.get(name)
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _shown(text: str) -> str:
    return one_line(Untrusted(text), max_chars=_SHOWN_CHARS)


def _count(addresses: Sequence[str]) -> str:
    return f"{len(addresses)} address{'' if len(addresses) == 1 else 'es'}"


def _or(domains: Sequence[str]) -> str:
    *others, last = domains
    return f"{', '.join(others)} or {last}" if others else last

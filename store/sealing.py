"""How drafts become leaves: positions, times and salts, the same in every store."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.leaf import SALT_BYTES, Leaf, LeafDraft, seal


def seal_all(
    drafts: Sequence[LeafDraft], *, first: int, at: datetime, policy_digest: str | None
) -> tuple[Leaf, ...]:
    """Return *drafts* sealed with consecutive indexes from *first*, a microsecond apart from *at*.

    Raises:
        InvalidInput: a value in a draft has no canonical form.
    """
    return tuple(
        [
            seal(
                draft,
                index=first + n,
                at=at + timedelta(microseconds=n) if n else at,
                policy_digest=policy_digest,
                entropy=os.urandom(SALT_BYTES * len(draft.private)) if draft.private else b"",
            )
            for n, draft in enumerate(drafts)
        ]
    )

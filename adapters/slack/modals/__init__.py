"""What opens over Slack when somebody presses a button: to read on, to say why, to be told."""

from adapters.slack.modals.about_card import (
    not_mine_modal,
    reject_modal,
    settle_modal,
    undo_modal,
)
from adapters.slack.modals.channels import (
    channels_modal,
    route_blocks,
)
from adapters.slack.modals.full_view import (
    first_part,
    full_view_modal,
    is_last_part,
    parts_of,
)
from adapters.slack.modals.linking import (
    link_modal,
)
from adapters.slack.modals.stopping import (
    resume_modal,
    stop_modal,
    stop_this_modal,
)
from adapters.slack.modals.telling import (
    card_modal,
    help_blocks,
    opening_modal,
    told_blocks,
    told_modal,
)

__all__ = [
    "card_modal",
    "channels_modal",
    "first_part",
    "full_view_modal",
    "help_blocks",
    "is_last_part",
    "link_modal",
    "not_mine_modal",
    "opening_modal",
    "parts_of",
    "reject_modal",
    "resume_modal",
    "route_blocks",
    "settle_modal",
    "stop_modal",
    "stop_this_modal",
    "told_blocks",
    "told_modal",
    "undo_modal",
]

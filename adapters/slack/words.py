"""What Slack users read in our own voice, where the other chats have no need to say it."""

from typing import Final

from adapters.slack.blocks import Ours
from adapters.slack.pressable import COMMAND
from bot.core.chat_words import how_to_link, how_to_resume

ANSWERED: Final = Ours("Keyturn has answered your click.")

OUTDATED: Final = "This card is outdated. Open Keyturn's Home tab to see what waits for you now."
CLICK_AGAIN: Final = (
    "Slack gave this click too little time. Nothing was opened or changed. Click again."
)
GOES_ON: Final = (
    "This takes longer than usual. It goes on, and this window says when it is recorded."
)
HOW_TO_RESUME: Final = how_to_resume(f"{COMMAND} resume")
# Not "here": nobody can type in the Home tab, nor in the conversation with the app.
HOW_TO_LINK: Final = how_to_link("Slack", typed=f"{COMMAND} link CODE", where="in any channel")

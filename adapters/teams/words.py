"""What Teams users read in our own voice, where the other chats have no need to say it."""

from typing import Final

from bot.core.chat_words import how_to_link, how_to_resume
from bot.core.command import help_lines

HOW_TO_LINK: Final = how_to_link("Teams", typed="link CODE")
HOW_TO_RESUME: Final = how_to_resume("resume")
HELP: Final = help_lines("Teams")

ANSWERED: Final = "Keyturn has answered you."
CANNOT_SHOW: Final = "This version of Teams cannot show the card. Open Keyturn's web inbox instead."
OUTDATED: Final = (
    "This card is outdated. Write to Keyturn: pending. It answers with what waits for you now."
)
GOES_ON: Final = (
    "This takes longer than usual. It is not recorded yet; it goes on, and the card changes when "
    "it is."
)
NOT_HERE: Final = (
    "Nothing was done here: cards count in your own chat with Keyturn alone, where nobody else "
    "reads along."
)
TYPE_IT_HERE: Final = (
    "In a team Keyturn understands the word channels alone, from an admin. Everything else is "
    "answered here, in your own chat: write help to see what there is."
)
UNDONE_ELSEWHERE: Final = "The undo has a card of its own, which says how it went."
TAKES_BACK: Final = "This takes back what was done before."
REPLACES: Final = "The target had changed, so this replaces an earlier proposal."
LOOK_FIRST: Final = (
    "Keyturn will not repeat it by itself. Look at the target, then say whether it happened."
)
FOUND_DONE: Final = "You say that it happened."
FOUND_NOT_DONE: Final = "You say that it did not happen."
SETTLED_BY_YOU: Final = "Your answer is recorded with your name."
NO_REASON: Final = "It gave no reason."
NO_CONTENT: Final = "The action carries no content."
REFUSED_BY_TEAMS: Final = "Teams refuses to show this card. Read it and decide in the web inbox."
REFUSED_WITHOUT_INBOX: Final = "Teams refuses to show this card. Ask the operator to look at it."
FULL_DETAILS: Final = (
    "The whole action is in the web inbox. This link opens it for you, without signing in: it "
    "works once, and not for long. Nobody else should have it."
)
APPROVE_APPEARS: Final = "Read it to its end: then the card in this chat offers Approve."
NO_INBOX: Final = "There is no web inbox here, so the full details cannot be shown."
ONE_ACCOUNT_ONLY: Final = (
    "Cards for this person are shown here in private, and what you press here counts as theirs. "
    "If this is not you, leave it and tell an admin: somebody has given you a code that is not "
    "yours."
)
CHANNEL_MEANS: Final = (
    "Notices say that something happened, never what an action contains. What this channel was "
    "told until now ends."
)
HOW_TO_SET_A_CHANNEL: Final = (
    "To set a channel, add Keyturn to its team and write there: @Keyturn channels. The answer "
    "comes here, in your own chat."
)
NOTHING_TO_STOP: Final = "There is no agent that is yours to stop."
GLOBS_MEAN: Final = "Names or patterns with *, one a line; empty for all"
NOT_NOW: Final = "Not now"
NOT_HERE_TITLE: Final = "Not in a team"
NO_SUCH_CARD: Final = (
    "There is no such proposal, or it is not yours to see. Nothing was done. Write pending to see "
    "what waits for you."
)
A_CHANNEL: Final = "A channel in Teams"

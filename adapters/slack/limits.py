"""What Slack takes, and how much of it we use.

Numbers without another source are those of Slack's Block Kit reference
(https://docs.slack.dev/reference/block-kit), which its own SDK checks in part.
"""

from typing import Final

# Slack's own limits, in characters unless the name says otherwise.
MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
HEADER_TEXT: Final = 150
SECTION_TEXT: Final = 3_000
SECTION_FIELDS: Final = 10
FIELD_TEXT: Final = 2_000
CONTEXT_ELEMENTS: Final = 10
ACTIONS: Final = 25
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
OVERFLOW_OPTIONS: Final = 5
SELECT_OPTIONS: Final = 100
CHOICE_OPTIONS: Final = 10  #: radio buttons and checkboxes
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
INPUT_LABEL: Final = 2_000
INPUT_HINT: Final = 2_000
PLACEHOLDER: Final = 150
INPUT_TEXT: Final = 3_000
IDENTIFIER: Final = 255  #: action_id, block_id, callback_id
VIEW_TITLE: Final = 24
PRIVATE_METADATA: Final = 3_000

# Slack answers msg_blocks_too_long near 12,000 characters over all blocks, and counts more than
# text: https://github.com/slackapi/bolt-js/issues/2509
CARD_TEXT: Final = 8_000
#: The same for a Home and for each modal: no number is written down, so they stay near it.
VIEW_TEXT: Final = 12_000

#: How many characters of an action the core puts on a card of this chat.
CARD_CHARS: Final = 3_000
#: How many the action may take once hidden characters are spelled out, with its names.
ACTION_TEXT: Final = 3_100
#: A longer text would push the buttons out of sight.
ACTION_LINES: Final = 80
#: Up to so many values each get a box of their own, in the font of code; more stand in a table.
BOXED_VALUES: Final = 6
#: The same for values beside what they were before; more are compared side by side.
BOXED_CHANGES: Final = 2
TABLED_VALUES: Final = 20
COMPARED_VALUES: Final = 12

#: How much of the rest of a card is shown; together with the action it stays under CARD_TEXT.
WHO: Final = 200
EFFECT: Final = 360
TARGET: Final = 260
REVERSIBLE: Final = 200
STATUS: Final = 400
REFERENCE: Final = 120
WHY: Final = 400
EXPECTS: Final = 200
SOURCE: Final = 150
SOURCES: Final = 2
NAME: Final = 80
CHOSEN_NAME: Final = 34  #: two of them, and a few words, in one option
PURPOSE: Final = 120
RULE: Final = 160
TECHNICAL: Final = 60
LINES: Final = 12  #: of any of these

#: A note that a person writes; the desk keeps as much.
NOTE: Final = 2_000

#: One page of the full view: so many blocks of so many characters.
PAGE_BLOCKS: Final = 4
PAGE_BLOCK_TEXT: Final = 2_500
#: One text of the page before them.
FRONT_TEXT: Final = 1_500

HOME_WAITING: Final = 12
HOME_DECIDED: Final = 8
HOME_AGENTS: Final = 8
HOME_HALTS: Final = 4
HOME_ROUTES: Final = 6
ROW_TEXT: Final = 150

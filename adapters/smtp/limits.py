"""What mail allows, and what Keyturn asks of itself within that."""

from typing import Final

MAX_LOCAL_CHARS: Final = 64  #: RFC 5321, 4.5.3.1.1
MAX_ADDRESS_CHARS: Final = 254  #: RFC 5321, 4.5.3.1.3, without the angle brackets
MAX_RECIPIENTS: Final = 100  #: RFC 5321, 4.5.3.1.8: every server takes as many

LINE_CHARS: Final = 78  #: RFC 5322, 2.1.1: what a line should not exceed
#: Of text in one encoded word: with its frame it stays under 75 (RFC 2047, 2), and under 78 after
#: the longest name of a header in front of it.
ENCODED_WORD_BYTES: Final = 39

MAX_SUBJECT_CHARS: Final = 400
MAX_NAME_CHARS: Final = 150  #: of an attachment
MAX_ATTACHMENTS: Final = 20
MAX_MESSAGE_ID_CHARS: Final = 250
MAX_REFERENCES: Final = 50

MAX_MESSAGE_BYTES: Final = 50 * 2**20
MAX_TIMEOUT_S: Final = 120
CONNECT_S: Final = 5.0  #: for one address of several
QUIT_S: Final = 1.0  #: for a goodbye that changes nothing any more
MARGIN_S: Final = 0.2  #: kept back from the deadline, so that the outcome is there before it
INLINE_BYTES: Final = 32_768  #: of content; more is written beside the event loop
CHUNK_BYTES: Final = 65_536
REPLY_CHARS: Final = 300  #: of what a server said, in a sentence for people

"""How long a receiver may take, and what is read of its answer."""

from typing import Final

#: Standard Webhooks asks receivers to answer within 15 to 30 s; ours only takes note of an id.
ANSWER_WITHIN_S: Final = 10.0
CONNECT_WITHIN_S: Final = 5.0

#: Nothing of the answer's body is wanted; what is in the buffers by then is thrown away.
READ_BYTES: Final = 4_096

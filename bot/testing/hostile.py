"""Texts that agents could write to become something other than text on a card."""

from typing import Final

HOSTILE: Final = (
    # Markup of pages
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</pre></dd></dl></article><button>Approve</button>",
    "</textarea><form action=/signout method=post><button>ok</button></form>",
    'a" autofocus onfocus=alert(1) x="',
    "' onmouseover='alert(1)",
    "<!-- hidden --><style>*{display:none}</style>",
    "<a href=javascript:alert(1)>Approve in Keyturn</a>",
    "&lt;script&gt;&#60;script&#62;&amp;",
    "<![CDATA[ x ]]><?xml version='1.0'?>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "\n\n<b>starts with line breaks</b>",
    # Markup of templates and chats
    "{{ 7 * 7 }}{% raw %}{% endraw %}{# gone #}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "<https://evil.example|Approve in Slack>",
    "<!channel> <!here> <@U012AB3CD> <#C012AB3CD>",
    "*bold* _italic_ ~gone~ `code` ```block```",
    "[Approve](https://evil.example) ![x](https://evil.example/x.png)",
    "# Heading\n- [x] Approved by Dana\n> quoted\n| a | b |\n|---|---|",
    "<at>Dana</at> :white_check_mark: :key:",
    # Links, and hosts that look like others
    "https://evil.example/approve mailto:dana@example.org tel:+15551234567",
    "https://keyturn.example@evil.example/ https://xn--pypal-4ve.example/",
    "https://p\u0430ypal.example/ \u0430pple.example",
    # Text that is not what it looks like
    "Approved by Dana \u202eyadot\u202c",
    "\u2066\u2067\u2068isolates\u2069\u2069\u2069",
    "zero\u200bwidth\u200cjoin\u200ders\u2060and\ufeffmarks",
    "tags \U000e0041\U000e0042\U000e007f and selectors \ufe0f\U000e0100",
    "\u00a0\u2003\u3000\u2800 spaces that are none",
    "far" + " " * 300 + "away",
    "below" + "\n" * 80 + "the fold",
    "controls \x00\x07\x08\x1b[31m\x7f\x85\r\nCR LF",
    "\u2028line\u2029paragraph",
    "z\u0351\u0329\u034d\u0358a\u0334\u0335\u0336\u0337\u0338l\u0339\u033a\u033b\u033c\u033dgo",
    "\u0301 mark without a letter",
    "private \ue000 \U000f0000 unassigned \u0378",
    "brackets \u27e8U+202E\u27e9 of our own",
    # Words that pretend to be the card's own
    "Done.\nReference 90417\nApproved. It will be carried out now.",
    "Claimed by the agent. Verified.",
    "Private\nOnly you will see this",
)

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
    "{{DATE(2030-03-14T09:00:00Z, SHORT)}} {{TIME(2030-03-14T09:00:00Z)}}",
    "<https://evil.example|Approve in Slack>",
    "<!channel> <!here> <@U012AB3CD> <#C012AB3CD>",
    "*bold* _italic_ ~gone~ `code` ```block```",
    "[Approve](https://evil.example) ![x](https://evil.example/x.png)",
    "# Heading\n- [x] Approved by Dana\n> quoted\n| a | b |\n|---|---|",
    "<at>Dana</at> :white_check_mark: :key:",
    '<at id="0">Dana</at> <attachment id="1"></attachment> <codeblock>x</codeblock>',
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

_PEOPLE: Final = (
    "@U012AB3CD",
    "@W012AB3CD",
    "!channel",
    "!here",
    "!everyone",
    "!subteam^S0AB1CD2E",
)
_PLACES: Final = ("#C012AB3CD", "#C012AB3CD|general", "@U012AB3CD|dana", "!date^0^{date}|now")
_LINKS: Final = (
    "https://evil.example",
    "https://evil.example|Approve",
    "http://evil.example/?a=1&b=2|Web inbox",
    "mailto:ceo@example.org|write",
    "tel:+15551234567|call",
    "slack://user?team=T1&id=U1|open",
    "javascript:alert(1)|run",
    "data:text/html,x|look",
    "file:///etc/passwd|read",
    "//evil.example|here",
)
_EMOJI: Final = (":white_check_mark:", ":key:", ":lock:", ":+1::skin-tone-2:", ":slack_call:")
_STYLES: Final = ("*{}*", "_{}_", "~{}~", "`{}`", "```{}```", "> {}", "• {}", "# {}", "**{}**")
_CLAIMS: Final = (
    "Approved by Dana Okafor at 14:02",
    "Done. Keyturn carried it out once.",
    "Private. Only you will see this.",
    "Fingerprint 0000 0000 0000 0000",
    "You were shown the whole action. Now you can decide.",
    "3,000 of 3,000 characters shown.",
    "Expires tomorrow. Decide before 1 Jan 2040.",
)
_ELEMENTS: Final = (
    '{"type":"button","action_id":"keyturn.approve","value":"v1"}',
    '"}},{"type":"actions","elements":[{"type":"button"}]},{"text":{"text":"',
    '"emoji":true,"type":"mrkdwn"',
    '{"type":"rich_text_section","elements":[{"type":"user","user_id":"U012AB3CD"}]}',
    '{"type":"link","url":"https://evil.example","text":"Approve"}',
    '{"type":"broadcast","range":"channel"}',
    '{"type":"emoji","name":"key"}',
    '{"type":"image","image_url":"https://evil.example/x.png","alt_text":"x"}',
    '{"type": "Action.OpenUrl", "url": "https://evil.example"}',
    "\\u003c!channel\\u003e \\x3c@U012AB3CD\\x3e",
    "\\n\\n*Approved*\\n",
    "%3C!channel%3E %0A%0AApproved",
)
_TEMPLATES: Final = (
    "{{DATE(2030-03-14T09:00:00Z)}}",
    "{{DATE(2030-03-14T09:00:00Z,LONG)}}{{TIME(2030-03-14T09:00:00Z)}}",
    "{{{DATE(2030-03-14T09:00:00Z)}}}",
    "{" * 9 + "DATE(2030-03-14T09:00:00Z)" + "}" * 9,
    "{\u200b{DATE(2030-03-14T09:00:00Z)}}",
    "a {{ b {{ c {{ d {{ e {{ f {{ g {{ h }}",
    "${toUpper('x')} ${$root.secret} @{x} {{x}}",
)
_MARKDOWN: Final = (
    "[Approve](https://evil.example)",
    '[Approve](https://evil.example "now")',
    "[Approve][1]\n\n[1]: https://evil.example",
    "![x](https://evil.example/x.png)",
    "[![x](https://evil.example/x.png)](https://evil.example)",
    "<https://evil.example> <ceo@example.org> www.evil.example evil.example/x",
    "__Approved__ ~~Rejected~~ ***Done***",
    "1. Approved\n2. Done\n   - by Dana",
    "Approved\n========\nDone\n----",
    "\\[kept\\](https://evil.example) \\*kept\\*",
    "```json\n{}\n```\n\n    indented",
    "---\n***\n___",
)
_PAGES: Final = (
    "<img src=https://evil.example/x.png>",
    "<a href='https://evil.example'>Approve</a>",
    "<b>Approved</b> <i>by</i> <u>Dana</u><br><hr>",
    "<font color=red>Rejected</font> <span style=color:green>Approved</span>",
    "<pre>Approved</pre><blockquote>by Dana</blockquote><ul><li>x</ul>",
    "<at>everyone</at> <at id='0'>Dana</at>",
    "<emoji alt='x'></emoji><emoji id=yes></emoji>",
    "&lt;at&gt;Dana&lt;/at&gt; &#91;x&#93;(https://evil.example)",
)
_HIDDEN: Final = tuple(
    f"left{char}right"
    for char in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    "\u00ad\u034f\u115f\u1160\u17b4\u180e\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\u206a\u206f"
    "\u3164\ufe00\ufe0f\uffa0\ufeff\ufff9\ufffb\ufffc\u2028\u2029\u0085\u00a0\u1680\u2000\u2007\u202f"
    "\u205f\u3000\u2800\u0000\u0008\u001b\u007f\u009b\ue000\ufdd0\uffff\U000e0001\U000e0041\U0001d173"
)
_BROKEN: Final = (
    "\ud800 half of a character",
    "\udfff\ud800 two wrong halves",
    "&amp;lt;!channel&amp;gt; &lt;@U012AB3CD&gt; &#60;!here&#62;",
    "<!channel",
    "!channel>",
    "<<@U012AB3CD>>",
    "<@U012AB3CD><@U012AB3CD>" * 20,
    "\uff1c!channel\uff1e \ufe64@U012AB3CD\ufe65",
    "<\u200b!channel>",
    "<!chan\u00adnel>",
    "|".join("evil" for _ in range(40)),
    "\t\ttabs\tand\vmore",
    " ",
    "\n",
    "\n \n \n",
    "   \u2800   ",
    "a\n" * 200,
    "-" * 400,
    "x" * 2_900,
    "\u202e" * 400,
    "\u202e\u202d" * 300,
    "\u27e8" * 300,
    "e" + "\u0301" * 50,
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\u4f60\u597d \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "\U0001f511\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1f5\U0001f1f9 \u2705",
)

#: The same and more, for what can be tried in a moment: nearly three hundred texts.
MORE_HOSTILE: Final = tuple(
    dict.fromkeys(
        (
            *HOSTILE,
            *(f"<{name}>" for name in (*_PEOPLE, *_PLACES, *_LINKS)),
            *(f"see\n<{name}> now" for name in (*_PEOPLE, *_LINKS)),
            *_EMOJI,
            *(style.format(claim) for style in _STYLES for claim in _CLAIMS),
            *(f"Publish it.\n\n{claim}" for claim in _CLAIMS),
            *_ELEMENTS,
            *_TEMPLATES,
            *_MARKDOWN,
            *_PAGES,
            *_HIDDEN,
            *_BROKEN,
        )
    )
)

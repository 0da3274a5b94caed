"""Texts that mean something to clients of Teams, besides those that mean something anywhere."""

from typing import Final

from bot.testing.hostile import MORE_HOSTILE

#: Clients replace these, also in the middle of a text.
EXPANDED: Final = (
    "{{DATE(2030-01-01T12:00:00Z)}}",
    "{{DATE(2030-01-01T12:00:00Z, SHORT)}}",
    "{{DATE(2030-01-01T12:00:00Z,LONG)}}",
    "{{TIME(2030-01-01T12:00:00Z)}}",
    "{{TIME(2030-01-01T12:00:00+02:00)}}",
    "Decide before {{DATE(2040-12-31T23:59:59Z, COMPACT)}}, {{TIME(2040-12-31T23:59:59Z)}}",
    "{{{DATE(2030-01-01T12:00:00Z)}}}",
    "{{{{TIME(2030-01-01T12:00:00Z)}}}}",
    "{{DATE(2030-01-01T12:00:00Z)}}" * 8,
    "${{DATE(2030-01-01T12:00:00Z)}} ${if(true, 'Approved', '')} {name}",
)
_MARKDOWN: Final = (
    "[Approve](https://evil.example)",
    '[Approve](https://evil.example "Keyturn")',
    "[Approve][1]\n\n[1]: https://evil.example",
    "<https://evil.example>",
    "![key](https://evil.example/key.png)",
    "[![key](https://evil.example/key.png)](https://evil.example)",
    "![](data:image/png;base64,iVBORw0KGgo=)",
    "**Approved** __by Dana__ ~~not~~",
    "# Approved\n\n1. one\n2. two\n\n- three\r- four",
    "> quoted\n\n---\n\n***",
    "`code` and\n\n```\nblock\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "https://evil.example and www.evil.example",
    "\\[Approve\\](https://evil.example)",
)
_HTML: Final = (
    "<a href='https://evil.example'>Approve</a>",
    "<img src='https://evil.example/key.png'>",
    "<img src=x onerror=\"document.title='pwned'\">",
    "<script>document.title = 'pwned'</script>",
    "<b>Approved</b><br/><i>by Dana</i>",
    "<at>Dana Okafor</at> <at id='0'>Keyturn</at>",
    "<iframe src='https://evil.example'></iframe>",
    "<style>* { display: none }</style>",
    "<attachment id='1'></attachment>",
    "&lt;a href='https://evil.example'&gt;Approve&lt;/a&gt;",
    "<emoji alt='✅'>(approve)</emoji> (yes) :-)",
)
_ELEMENTS: Final = (
    '{"type": "Action.Execute", "title": "Approve", "verb": "approve"}',
    '"}, {"type": "Action.OpenUrl", "url": "https://evil.example", "title": "',
    '"}]}, {"type": "Image", "url": "https://evil.example/key.png"}, {"inlines": [{"text": "',
    '{"type": "TextBlock", "text": "Approved", "weight": "Bolder"}',
    '{"$data": "${$root}", "$when": "${true}"}',
)
TEAMS_HOSTILE: Final = tuple(
    dict.fromkeys((*EXPANDED, *_MARKDOWN, *_HTML, *_ELEMENTS, *MORE_HOSTILE))
)

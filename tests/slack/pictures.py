"""Takes pictures of everything shown in Slack: ``python -m tests.slack.pictures FOLDER``.

Slack's own clients cannot be run here. This draws Block Kit's elements in their order and with
their emphasis, and says nothing about Slack's exact looks.
"""

import asyncio
import re
import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page, async_playwright

from tests.slack.rendering.golden import all_of_them
from tests.web.pictures import BROWSER_ARGS, SCHEMES, found_chromium

WIDTHS: Final = {"wide": 760, "phone": 360}

_STYLES: Final = """
:root { color-scheme: light dark; --page: #fff; --text: #1d1c1d; --quiet: #616061;
  --line: #d9d9da; --box: #f6f6f6; --key: #007a5a; --danger: #c01343; --link: #1264a3;
  --over: rgb(0 0 0 / 8%); }
@media (prefers-color-scheme: dark) { :root { --page: #1a1d21; --text: #e8e8e8; --quiet: #ababad;
  --line: #4a4d52; --box: #23262b; --key: #148567; --danger: #e0425f; --link: #5eb1ef;
  --over: rgb(0 0 0 / 40%); } }
* { box-sizing: border-box; }
body { margin: 0; padding: 16px; background: var(--page); color: var(--text);
  font: 15px/1.46 "DejaVu Sans", Lato, sans-serif; overflow-wrap: anywhere; }
.message { max-width: 600px; display: grid; grid-template-columns: 36px 1fr; gap: 0 8px; }
.message > .face { width: 36px; height: 36px; border-radius: 8px; background: #2f4858; color: #fff;
  display: grid; place-items: center; font-weight: 700; }
.who { font-weight: 700; } .who small { font-weight: 400; color: var(--quiet); font-size: 11px; }
.who i { font: 700 10px/1 sans-serif; background: var(--box); color: var(--quiet); padding: 2px 4px;
  border-radius: 2px; margin: 0 4px; }
.modal { max-width: 520px; margin: 0 auto; border: 1px solid var(--line); border-radius: 10px;
  box-shadow: 0 10px 30px var(--over); }
.modal > header, .modal > footer { padding: 14px 20px; display: flex; gap: 10px; }
.modal > header { justify-content: space-between; font-size: 19px; font-weight: 700; }
.modal > footer { justify-content: flex-end; border-top: 1px solid var(--line); }
.modal > .blocks { padding: 0 20px 12px; } .home { max-width: 720px; }
.blocks > * { margin: 8px 0; }
h2 { font-size: 18px; line-height: 1.3; margin: 12px 0 6px; }
p { margin: 0; white-space: pre-wrap; } hr { border: 0; border-top: 1px solid var(--line);
  margin: 14px 0; }
.section { display: flex; gap: 12px; justify-content: space-between; }
.section > div { flex: 1; min-width: 0; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 6px 14px; white-space: pre-wrap; }
.context { font-size: 13px; color: var(--quiet); display: flex; flex-wrap: wrap; gap: 2px 10px; }
.context > span { white-space: pre-wrap; }
pre { margin: 4px 0; padding: 8px; border: 1px solid var(--line); border-radius: 4px;
  background: var(--box); font: 12px/1.5 "DejaVu Sans Mono", monospace; white-space: pre-wrap; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; }
.button { display: inline-block; padding: 5px 12px; border: 1px solid var(--line); height: 36px;
  border-radius: 5px; font-weight: 700; white-space: nowrap; background: var(--page);
  line-height: 24px; }
.button.primary { background: var(--key); border-color: var(--key); color: #fff; }
.button.danger { background: var(--danger); border-color: var(--danger); color: #fff; }
.input b { display: block; } .input .line { border: 1px solid var(--line); border-radius: 4px;
  padding: 8px; color: var(--quiet); } .input .tall { min-height: 76px; }
.hint { font-size: 13px; color: var(--quiet); } a { color: var(--link); text-decoration: none; }
.menu { border: 1px solid var(--line); border-radius: 6px; padding: 4px 0; margin-top: 6px;
  width: 220px; } .menu div { padding: 4px 14px; }
"""
_LINK: Final = re.compile(r"&lt;(https?://[^|]*)\|([^&]*)&gt;")
_DATE: Final = re.compile(r"&lt;!date\^\d+\^[^|]*\|([^&]*)&gt;")
_CHANNEL: Final = re.compile(r"&lt;#C[A-Z0-9]+&gt;")


def page_of(name: str, value: Mapping[str, Any]) -> str:
    """Return *value*, what is sent to Slack, as a page."""
    blocks = "".join(map(_block, value["blocks"]))
    if value.get("type") == "modal":
        submit = (
            f'<span class="button primary">{_plain(value["submit"])}</span>'
            if ("submit" in value)
            else ""
        )
        close = f'<span class="button">{_plain(value["close"])}</span>'
        body = (
            f'<div class="modal"><header>{_plain(value["title"])}<span>×</span></header>'
            f'<div class="blocks">{blocks}</div><footer>{close}{submit}</footer></div>'
        )
    elif value.get("type") == "home":
        body = f'<div class="home blocks">{blocks}</div>'
    else:
        body = (
            '<div class="message"><div class="face">K</div><div><div class="who">Keyturn'
            f'<i>APP</i><small>12:00</small></div><div class="blocks">{blocks}</div></div></div>'
        )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(name)}</title>'
        f"<style>{_STYLES}</style><body>{body}</body></html>"
    )


def _block(block: Mapping[str, Any]) -> str:
    match block["type"]:
        case "header":
            return f"<h2>{_plain(block['text'])}</h2>"
        case "divider":
            return "<hr>"
        case "section":
            return _section(block)
        case "context":
            cells = "".join(f"<span>{_text(one)}</span>" for one in block["elements"])
            return f'<div class="context">{cells}</div>'
        case "actions":
            return f'<div class="actions">{"".join(map(_element, block["elements"]))}</div>'
        case "rich_text":
            return f"<div>{''.join(map(_rich, block['elements']))}</div>"
        case "input":
            hint = f'<p class="hint">{_plain(block["hint"])}</p>' if "hint" in block else ""
            mark = " (optional)" if block["optional"] else ""
            return (
                f'<div class="input"><b>{_plain(block["label"])}{mark}</b>'
                f"{_element(block['element'])}{hint}</div>"
            )
    raise AssertionError(block["type"])


def _section(block: Mapping[str, Any]) -> str:
    text = f"<p>{_text(block['text'])}</p>" if "text" in block else ""
    fields = "".join(f"<span>{_text(one)}</span>" for one in block.get("fields", ()))
    fields = f'<div class="fields">{fields}</div>' if fields else ""
    accessory = _element(block["accessory"]) if "accessory" in block else ""
    return f'<div class="section"><div>{text}{fields}</div>{accessory}</div>'


def _element(element: Mapping[str, Any]) -> str:
    match element["type"]:
        case "button":
            return (
                f'<span class="button {element.get("style", "")}">{_plain(element["text"])}</span>'
            )
        case "overflow":
            rows = "".join(f"<div>{_plain(one['text'])}</div>" for one in element["options"])
            return f'<span class="button">⋯</span><div class="menu">{rows}</div>'
        case "radio_buttons" | "checkboxes":
            sign = "○" if element["type"] == "radio_buttons" else "☐"
            chosen = element.get("initial_option")
            return "".join(
                f"<div>{'◉' if one == chosen else sign} {_plain(one['text'])}</div>"
                for one in element["options"]
            )
        case "plain_text_input":
            return f'<div class="line {"tall" if element["multiline"] else ""}"></div>'
    words = element.get("initial_option", {}).get("text") or element["placeholder"]
    return f'<div class="line">{_plain(words)} ▾</div>'


def _rich(element: Mapping[str, Any]) -> str:
    inner = ""
    for leaf in element["elements"]:
        style = leaf.get("style", {})
        text = escape(leaf["text"])
        text = f"<b>{text}</b>" if style.get("bold") else text
        inner += f"<i>{text}</i>" if style.get("italic") else text
    return (
        f"<pre>{inner}</pre>" if element["type"] == "rich_text_preformatted" else f"<p>{inner}</p>"
    )


def _text(value: Mapping[str, Any]) -> str:
    return _plain(value) if value["type"] == "plain_text" else _mrkdwn(value["text"])


def _plain(value: Mapping[str, Any]) -> str:
    assert value["type"] == "plain_text"
    return escape(value["text"], quote=False)


def _mrkdwn(text: str) -> str:
    html = _LINK.sub(r'<a href="\1">\2</a>', escape(text, quote=False))
    html = _CHANNEL.sub("<a>#keyturn-notices</a>", _DATE.sub(r"\1", html))
    return re.sub(r"\*([^*]+)\*", r"<b>\1</b>", re.sub("`([^`]+)`", r"<code>\1</code>", html))


async def take_all(folder: Path, executable: Path, only: str = "") -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=list(BROWSER_ARGS)
        )
        for width_name, width in WIDTHS.items():
            for scheme in SCHEMES:
                context = await browser.new_context(
                    viewport={"width": width, "height": 300},
                    color_scheme=scheme,
                    device_scale_factor=2 if width < 500 else 1,
                )
                page = await context.new_page()
                for name, value in all_of_them().items():
                    if only in name:
                        await _take(page, folder / f"{name}-{width_name}-{scheme}.png", name, value)
                await context.close()
        await browser.close()


async def _take(page: Page, path: Path, name: str, value: Mapping[str, Any]) -> None:
    await page.set_content(page_of(name, value))
    await page.screenshot(path=path, full_page=True)


if __name__ == "__main__":
    chromium = found_chromium()
    if chromium is None:
        sys.exit("There is no chromium on the PATH; name one in KEYTURN_CHROMIUM.")
    into = Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(into, chromium, *sys.argv[2:]))

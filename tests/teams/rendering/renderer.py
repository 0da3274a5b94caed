"""Microsoft's own renderer in a real browser, with the host configuration of Teams.

It is MIT-licensed, comes from npm at test time into a folder outside the tree, and is neither
shipped nor needed to run Keyturn.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PINNED: Final = ("adaptivecards@3.0.6", "markdown-it@15.0.3", "adaptivecards-designer@2.4.4")
SCHEMES: Final = ("light", "dark")

#: What the renderer does not bring, since the client around it does.
_STYLES: Final = """
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); padding: 12px;
  font: 14px/1.43 "Segoe UI", "Open Sans", "DejaVu Sans", sans-serif; }
body.light { --page: #f5f5f5; --card: #fff; --text: #252424; --line: #c8c6c4; --key: #6264a7;
  --danger: #c4314b; --link: #6264a7; }
body.dark { --page: #201f1f; --card: #2d2c2c; --text: #fff; --line: #605e5c; --key: #6264a7;
  --danger: #c4314b; --link: #a6a7dc; color-scheme: dark; }
#card { background: var(--card); border-radius: 4px; box-shadow: 0 1px 3px rgb(0 0 0 / 25%);
  overflow: hidden; }
a { color: var(--link); }
.ac-pushButton, .ac-adaptiveCard button { font: 600 14px/20px "Segoe UI", "Open Sans",
  "DejaVu Sans", sans-serif; color: var(--text); background: var(--card); min-height: 32px;
  border: 1px solid var(--line); border-radius: 3px; padding: 4px 12px; }
.ac-pushButton.style-positive { background: var(--key); border-color: var(--key); color: #fff; }
.ac-pushButton.style-destructive { background: var(--card); border-color: var(--danger);
  color: var(--danger); }
body.dark .ac-pushButton.style-destructive { color: #ff8b9d; }
.ac-input { font: inherit; width: 100%; color: inherit; background: var(--card); padding: 6px 8px;
  border: 1px solid var(--line); border-radius: 3px; }
.ac-pushButton.expandable::after, .ac-pushButton.expandable.expanded::after {
  content: "⌄"; font: inherit; margin-left: 6px; }
.ac-pushButton.expanded { background: var(--line); border-color: var(--line); color: inherit; }
textarea.ac-input { min-height: 60px; }
.ac-choiceSetInput-expanded input, .ac-choiceSetInput-multiSelect input { width: auto; }
"""

_SHOW: Final = """
({card, host, scheme}) => {
  document.body.className = scheme;
  const place = document.getElementById("card");
  place.replaceChildren();
  const complaints = [];
  const context = new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_5);
  const shown = new AdaptiveCards.AdaptiveCard();
  shown.hostConfig = new AdaptiveCards.HostConfig(host);
  shown.parse(card, context);
  for (let n = 0; n < context.eventCount; n++) complaints.push(context.getEventAt(n).message);
  for (const failure of shown.validateProperties().validationEvents)
    complaints.push(failure.message);
  place.append(shown.render());
  return complaints;
}
"""
_SET_UP: Final = """
() => {
  const markdown = window.markdownit();
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdown.render(text);
    result.didProcess = true;
  };
}
"""


class NoRenderer(Exception):
    """It cannot be had here; the message says why."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """``folder`` is where npm has put what is `PINNED`."""

    folder: Path

    def host(self, scheme: str) -> Mapping[str, Any]:
        """Return Teams' configuration of the renderer."""
        configs = self.folder / "node_modules/adaptivecards-designer/lib/hostConfigs"
        config: Mapping[str, Any] = json.loads(
            (configs / f"microsoft-teams-{scheme}.json").read_text(encoding="utf-8")
        )
        return config

    async def open(self, page: Any) -> None:
        """Prepare *page*, of Playwright, so that `show` works on it."""
        modules = self.folder / "node_modules"
        await page.set_content(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Card</title>'
            '<body><div id="card"></div></body></html>'
        )
        await page.add_style_tag(path=modules / "adaptivecards/dist/adaptivecards.css")
        await page.add_style_tag(content=_STYLES)
        await page.add_script_tag(path=modules / "adaptivecards/dist/adaptivecards.min.js")
        await page.add_script_tag(path=modules / "markdown-it/dist/browser/markdown-it.umd.min.js")
        await page.evaluate(_SET_UP)

    async def show(self, page: Any, card: Any, scheme: str = "light") -> list[str]:
        """Show *card* on *page*; return what the renderer finds wrong with it."""
        given = {"card": card, "host": self.host(scheme), "scheme": scheme}
        complaints: list[str] = await page.evaluate(_SHOW, given)
        return complaints


def install(folder: Path) -> Renderer:
    """Return the renderer, got from npm into *folder*; KEYTURN_CARD_RENDERER names one that is.

    Raises:
        NoRenderer: there is no npm, or it could not get it.
    """
    there = os.environ.get("KEYTURN_CARD_RENDERER")
    if there:
        return Renderer(Path(there))
    npm = shutil.which("npm")
    if npm is None:
        raise NoRenderer("there is no npm here to get the renderer of Adaptive Cards with")
    (folder / "package.json").write_text('{"private": true}')
    quiet = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps")
    got = subprocess.run(
        [npm, "install", *quiet, *PINNED],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if got.returncode:
        raise NoRenderer(f"npm could not get {PINNED}: {got.stderr.strip()[-200:]}")
    return Renderer(folder)

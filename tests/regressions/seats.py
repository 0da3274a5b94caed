"""A person at the web inbox: a browser's cookies, and pages read as trees."""

import http.client
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tests.web.dom import Node, Parser
from tests.web.seat import fields, said

Proposal = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    tree: Node
    raw: str

    @property
    def said(self) -> str:
        """What it says about the last press, or why there was none."""
        return said(self.tree)

    @property
    def is_refused(self) -> bool:
        """Whether it says that a press was not recorded, or that there is nothing to press."""
        return "Not recorded." in self.said or self.status == 404

    @property
    def buttons(self) -> set[str]:
        return {
            button.attributes["value"]
            for button in self.tree.all("button")
            if "value" in button.attributes
        }


@dataclass(slots=True)
class Seat:
    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def sign_in(self, code: str) -> Page:
        return self.send("/signin", {"code": code, "then": "/"})

    def get(self, path: str) -> Page:
        return self._ask("GET", path)

    def send(self, path: str, form: Mapping[str, str], *, origin: str | None = None) -> Page:
        """Send *form* as a browser does, and return the page that it leads to."""
        return self._ask("POST", path, form, {"Origin": self.url if origin is None else origin})

    def card(self, proposal: Proposal) -> Page:
        return self.get(f"/proposals/{proposal['id']}")

    def form(self, proposal: Proposal, button: str = "approve") -> dict[str, str]:
        """Return what *button* on the card that is shown now would send."""
        page = self.card(proposal)
        action = f"/proposals/{proposal['id']}/press"
        for form in page.tree.all("form", action=action):
            if any(b.attributes.get("value") == button for b in form.all("button")):
                return fields(form) | {"button": button}
        raise AssertionError(f"there is no button {button} in: {page.tree.text}")

    def press(self, proposal: Proposal, button: str = "approve", note: str = "") -> str:
        """Press *button* on the card as it is shown now, and return what is said."""
        form = self.form(proposal, button) | ({"note": note} if note else {})
        return self.press_form(proposal, form).said

    def press_form(self, proposal: Proposal, form: Mapping[str, str]) -> Page:
        return self.send(f"/proposals/{proposal['id']}/press", form)

    def forge(self, proposal: Proposal, button: str = "approve") -> Page:
        """Press a button that may not be on the card, with this session's own form secret."""
        digest = proposal["digest"].removeprefix("sha256:")[:32]
        return self.press_form(proposal, self.session_form() | {"digest": digest, "button": button})

    def session_form(self) -> dict[str, str]:
        """Return what proves that a page of this session sent a form."""
        secret = self.get("/").tree.one("form", action="/signout").one("input", name="form")
        return {"form": secret.attributes["value"]}

    def waiting(self) -> list[str]:
        """Return the ids of the proposals that wait in the inbox."""
        rows = self.get("/").tree.with_class("row-waiting")
        return [row.attributes["data-card"] for row in rows]

    def read_to_the_end(self, proposal: Proposal) -> str:
        """Turn every page of the full view, say so, and return the text."""
        path, text = f"/proposals/{proposal['id']}/full", ""
        at = path
        while True:
            page = self.get(at).tree
            text += page.with_class("whole")[0].text
            following = [a for a in page.all("a") if a.text == "Next page"]
            if not following:
                break
            at = urljoin(path, following[0].attributes["href"])
        form = page.one("form", action=f"/proposals/{proposal['id']}/viewed")
        self.send(f"/proposals/{proposal['id']}/viewed", fields(form))
        return text

    def stop(self, proposal: Proposal, reason: str) -> str:
        path = f"/proposals/{proposal['id']}/stop"
        form = self.get(path).tree.one("form", action=path)
        return self.send(path, fields(form) | {"reason": reason}).said

    def _ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        where = urlsplit(self.url)
        assert where.hostname is not None
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
        with closing(connection):
            connection.request(method, path, None if form is None else urlencode(form), sent)
            answer = connection.getresponse()
            for header in answer.headers.get_all("Set-Cookie", []):
                name, _, value = header.partition(";")[0].partition("=")
                self.cookies[name] = value
            raw = answer.read().decode()
        if answer.status == 303:
            return self._ask("GET", answer.headers["Location"])
        return Page(answer.status, Parser.parse(raw), raw)

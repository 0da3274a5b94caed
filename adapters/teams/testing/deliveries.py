"""What is sent to the bot as the Bot Connector sends it: signed, and waited for."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from adapters.teams.testing.limits import check_card
from adapters.teams.testing.world import ADAPTIVE, Json

#: Teams gives up on an invoke after some 10 to 15 seconds; the fake is stricter.
ANSWER_S: Final = 10.0
MESSAGE: Final = "application/vnd.microsoft.activity.message"


class NotAnAnswer(AssertionError):
    """What the bot answered would be shown as "Unable to reach app", and be sent again."""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """``status`` is 0 where no answer came in time; ``body`` is what was answered, if JSON."""

    activity: Json
    status: int = 0
    body: Any = None
    answered_after_s: float | None = None

    @property
    def card(self) -> Json | None:
        """The card that an invoke was answered with."""
        is_card = isinstance(self.body, dict) and self.body.get("type") == ADAPTIVE
        found: Json | None = self.body["value"] if is_card else None
        return found

    @property
    def said(self) -> str | None:
        """The words that an invoke was answered with, where it was no card."""
        is_text = isinstance(self.body, dict) and self.body.get("type") == MESSAGE
        return str(self.body["value"]) if is_text else None


class Deliveries:
    """Sends to ``url``, the address of the bot; ``sign`` makes the header for a service URL."""

    def __init__(self, http: ClientSession, *, sign: Callable[[str], str]) -> None:
        self.url = ""
        self.all: list[Delivery] = []
        self._http = http
        self._sign = sign

    async def deliver(
        self, activity: Json, *, authorization: str | None = None, answer_s: float = ANSWER_S
    ) -> Delivery:
        """Send *activity* and wait for its answer; *authorization* "" sends no such header.

        Raises:
            NotAnAnswer: an invoke was answered with what Teams does not understand.
        """
        delivery = Delivery(activity=activity)
        self.all.append(delivery)
        header = (
            self._sign(activity.get("serviceUrl", "")) if authorization is None else authorization
        )
        began = time.perf_counter()
        try:
            async with self._http.post(
                self.url,
                data=json.dumps(activity).encode(),
                headers={
                    "Content-Type": "application/json; charset=utf-8",
                    **({"Authorization": header} if header else {}),
                },
                timeout=ClientTimeout(total=answer_s),
            ) as answer:
                delivery.status = answer.status
                raw = await answer.read()
        except (ClientError, TimeoutError):
            return delivery
        delivery.answered_after_s = time.perf_counter() - began
        if raw and answer.content_type == "application/json":
            delivery.body = json.loads(raw)
        if activity["type"] == "invoke" and delivery.status == 200:
            check_answer(delivery.body)
        return delivery


def check_answer(body: Any) -> None:
    """Teams tells the person that the app cannot be reached unless this holds."""
    if not isinstance(body, dict) or set(body) != {"statusCode", "type", "value"}:
        raise NotAnAnswer(f"an invoke was answered with {body!r:.200}")
    if body["statusCode"] != 200:
        raise NotAnAnswer(f"an invoke was answered with the status {body['statusCode']}")
    match body["type"]:
        case "application/vnd.microsoft.card.adaptive":
            check_card(body["value"])
        case "application/vnd.microsoft.activity.message":
            if not isinstance(body["value"], str) or not body["value"]:
                raise NotAnAnswer("an invoke was answered with no words")
        case other:
            raise NotAnAnswer(f"an invoke was answered with {other}")

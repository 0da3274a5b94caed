"""``views.*`` of the fake: a person's Home and the modals on their screen."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.slack.testing.calls import Call, Method, Refusal
from adapters.slack.testing.limits import check_view
from adapters.slack.testing.world import Json, World

TRIGGER_S: Final = 3.0
DEPTH: Final = 3


@dataclass(slots=True)
class Trigger:
    user: str
    made_at: float
    is_used: bool = False


@dataclass(slots=True)
class Screens:
    """``modals`` are the open ones of each account, the visible one last."""

    world: World
    app_id: str
    bot_user: str
    now: Callable[[], float]
    trigger_s: float = TRIGGER_S
    modals: dict[str, list[Json]] = field(default_factory=dict)
    _triggers: dict[str, Trigger] = field(default_factory=dict)

    def new_trigger(self, user: str) -> str:
        trigger = f"{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger] = Trigger(user=user, made_at=self.now())
        return trigger

    def methods(self) -> dict[str, Method]:
        return {
            "views.open": Method(answer=self._open),
            "views.push": Method(answer=self._push),
            "views.update": Method(answer=self._update),
            "views.publish": Method(answer=self._publish),
        }

    def answer(self, user: str, submitted: Json, said: Any) -> Json | None:
        """Apply what the app answered to a submission; return the errors it named.

        Raises:
            Refusal: what it answered is nothing that Slack could show.
        """
        stack = self.modals.get(user, [])
        action = said.get("response_action") if isinstance(said, dict) else None
        match action:
            case None:
                if submitted in stack:
                    stack.remove(submitted)
                return None
            case "clear":
                stack.clear()
                return None
            case "errors":
                errors: Json = said["errors"]
                inputs = {b.get("block_id") for b in submitted["blocks"] if b["type"] == "input"}
                if not errors or set(errors) - inputs:
                    raise Refusal("invalid_arguments")
                return errors
            case "update":
                stack[stack.index(submitted)] = self._kept(
                    check_view(said["view"]), user=user, id=submitted["id"]
                )
                return None
            case "push":
                self._put(user, check_view(said["view"]))
                return None
            case _:
                raise Refusal("invalid_arguments")

    def _open(self, call: Call) -> Json:
        user = self._use(call)
        return {"view": self._put(user, check_view(call.args.get("view")))}

    def _push(self, call: Call) -> Json:
        user = self._use(call)
        if not self.modals.get(user):
            raise Refusal("not_found")
        return {"view": self._put(user, check_view(call.args.get("view")))}

    def _update(self, call: Call) -> Json:
        wanted = call.text("view_id")
        for user, stack in self.modals.items():
            for place, view in enumerate(stack):
                if view["id"] != wanted:
                    continue
                if call.args.get("hash") not in {None, view["hash"]}:
                    raise Refusal("hash_conflict")
                given = check_view(call.args.get("view"))
                if given["type"] != "modal":
                    raise Refusal("view_type_mismatch")
                stack[place] = self._kept(given, user=user, id=wanted)
                return {"view": stack[place]}
        raise Refusal("not_found")

    def _publish(self, call: Call) -> Json:
        user = call.text("user_id")
        if user not in self.world.accounts:
            raise Refusal("user_not_found")
        before = self.world.homes.get(user)
        if call.args.get("hash") and (before is None or call.args["hash"] != before["hash"]):
            raise Refusal("hash_conflict")
        given = check_view(call.args.get("view"))
        if given["type"] != "home":
            raise Refusal("invalid_arguments")
        same = before["id"] if before is not None else self.world.new_id("V")
        self.world.homes[user] = self._kept(given, user=user, id=same)
        return {"view": self.world.homes[user]}

    def _use(self, call: Call) -> str:
        trigger = self._triggers.get(call.text("trigger_id"))
        if trigger is None:
            raise Refusal("invalid_trigger_id")
        if trigger.is_used:
            raise Refusal("exchanged_trigger_id")
        if self.now() - trigger.made_at > self.trigger_s:
            raise Refusal("expired_trigger_id")
        trigger.is_used = True
        return trigger.user

    def _put(self, user: str, view: Json) -> Json:
        if view["type"] != "modal":
            raise Refusal("view_type_mismatch")
        stack = self.modals.setdefault(user, [])
        if len(stack) >= DEPTH:
            raise Refusal("push_limit_reached")
        kept = self._kept(view, user=user, id=self.world.new_id("V"))
        kept["previous_view_id"] = stack[-1]["id"] if stack else None
        kept["root_view_id"] = stack[0]["id"] if stack else kept["id"]
        stack.append(kept)
        return kept

    def _kept(self, view: Json, *, user: str, id: str) -> Json:
        kept: Json = json.loads(json.dumps(view))
        for block in kept["blocks"]:
            block.setdefault("block_id", secrets.token_urlsafe(4))
        return {
            "private_metadata": "",
            "callback_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            "external_id": "",
            **kept,
            "id": id,
            "team_id": self.world.accounts[user].team,
            "app_id": self.app_id,
            "bot_id": f"B{self.bot_user[1:]}",
            "hash": f"1763.{secrets.token_hex(4)}",
            "state": {"values": {}},
            "root_view_id": id,
            "previous_view_id": None,
        }

"""What Slack does not say of an account is not taken as said."""

from typing import Any

import pytest

from adapters.slack.accounts import account_of
from adapters.slack.workspaces import Workspace

WORKSPACE = Workspace(token="xoxb-not-used", team="T1", enterprise=None, bot_user="U0BOT")
MEMBER = {
    "id": "U1",
    "team_id": "T1",
    "deleted": False,
    "is_bot": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
}


def why_not(user: dict[str, Any]) -> str | None:
    return account_of(user).why_not(WORKSPACE)


def test_a_member_may_act_where_slack_says_all_that_counts() -> None:
    assert why_not(MEMBER) is None


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("deleted", "deactivated"),
        ("is_bot", "Programs"),
        ("is_restricted", "Guest"),
        ("is_ultra_restricted", "Guest"),
        ("team_id", "another organisation"),
    ],
)
@pytest.mark.parametrize("value", ["missing", None, "false", 0, True])
def test_whoever_is_not_plainly_a_member_may_not(flag: str, says: str, value: Any) -> None:
    user = {name: told for name, told in MEMBER.items() if name != flag}
    if value != "missing":
        user[flag] = value
    assert says in (why_not(user) or "")


def test_an_answer_without_an_account_is_nobodys() -> None:
    assert why_not({}) is not None

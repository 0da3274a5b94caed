"""docs/explanation/states.md says what bot/core/states.py does."""

import pytest

from tests.contract.states_table import PAGE, TABLES, with_tables


def test_the_page_of_states_equals_the_code():
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page), "write it anew: python -m tests.contract.states_table"


def test_a_state_that_the_page_does_not_know_is_caught():
    page = PAGE.read_text(encoding="utf-8")
    planted = page.replace("| `approved` | `claim` |", "| `approved` | `seize` |")
    assert planted != page
    assert planted != with_tables(planted)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_its_place_is_caught(name: str):
    page = PAGE.read_text(encoding="utf-8").replace(f"<!-- end: {name} -->", "")
    with pytest.raises(ValueError, match=name):
        with_tables(page)

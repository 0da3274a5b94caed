"""The reference pages say what is served, and the errors' page says every code."""

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from bot.core import errors
from bot.http import problems
from bot.http.admin_routes import ADMIN_ROUTES
from bot.http.agent_routes import AGENT_ROUTES
from bot.http.reference import api_page, errors_page, write


@pytest.mark.parametrize("name", ["http-api.md", "errors.md"])
def test_the_page_in_the_docs_is_the_one_that_the_code_writes(
    repo: Path, tmp_path: Path, name: str
):
    write(tmp_path)
    written = (tmp_path / name).read_text(encoding="utf-8")
    assert (repo / "docs" / "reference" / name).read_text(encoding="utf-8") == written, (
        "run: python -m bot.http.reference docs/reference"
    )


def test_every_route_has_its_section():
    page = api_page()
    for route in (*AGENT_ROUTES, *ADMIN_ROUTES):
        assert f"\n### {route.method} {route.path}\n" in page


_CODE = re.compile(r'^    code(?:: ClassVar\[str\])? = "(\w+)"', re.MULTILINE)


@pytest.mark.parametrize("module", [errors, problems])
def test_every_code_that_the_source_spells_is_on_the_page(module: ModuleType):
    codes = _CODE.findall(inspect.getsource(module))
    assert len(codes) > 4
    page = errors_page()
    for code in codes:
        assert f"| `{code}` |" in page


def test_a_code_means_one_thing():
    classes = [e for m in (errors, problems) for e in vars(m).values() if inspect.isclass(e)]
    own = {e for e in classes if issubclass(e, errors.KeyturnError) and "code" in vars(e)}
    codes = [e.code for e in own]
    assert len(set(codes)) == len(codes)


def test_every_code_is_told_in_its_own_words():
    found = problems.every_error()
    assert found["invalid_input"] is errors.InvalidInput
    assert all("code" in vars(error) for error in found.values())

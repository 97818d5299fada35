"""The generated reference is fresh and complete."""

from pathlib import Path

import pytest

from lapwing.app.configuration import leaves
from tools.pages import FOLDER, PAGES, event_types

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_says_what_the_code_says(name: str) -> None:
    assert (ROOT / FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_every_setting_has_a_meaning() -> None:
    from lapwing.app.descriptions import describe

    assert [one.path for one in describe() if not one.meaning] == []
    assert len(list(describe())) == len(list(leaves()))


def test_every_event_is_in_the_reference() -> None:
    page = (ROOT / FOLDER / "events.md").read_text(encoding="utf-8")
    assert [tag for one in event_types() if f"## `{(tag := one.__struct_config__.tag)}`" not in page] == []

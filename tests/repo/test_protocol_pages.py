"""Every protocol has a page that says what is seen, what is not, on what evidence, within what limits."""

from pathlib import Path

import pytest

from lapwing.protocols import DATAGRAM_PROTOCOLS, ICMP, STREAM_PROTOCOLS

PAGES = Path(__file__).parents[2] / "docs" / "reference" / "protocols"
NAMES = sorted({one.name for one in STREAM_PROTOCOLS} | {one.name for one in (*DATAGRAM_PROTOCOLS, ICMP)})
HEADS = ("**Seen.**", "**Not seen.**", "**Evidence.**", "**Limits.**", "**RFCs.**")


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_has_a_page_with_every_part(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert [head for head in HEADS if head not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_has_a_fuzz_target(name: str) -> None:
    assert (PAGES.parents[2] / "fuzz" / f"fuzz_{name}.py").exists()


def test_the_reference_leads_to_every_page() -> None:
    index = (PAGES.parent / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"(protocols/{name}.md)" not in index] == []

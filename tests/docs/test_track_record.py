"""docs/track-record.md: a row for each fault, in order, each with a test that exists."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "track-record.md").read_text()
ROWS = [line.strip("|").split(" | ") for line in PAGE.splitlines() if re.match(r"\| \d", line)]
TEST = re.compile(r"`(tests/[\w/]+\.py)`")


def test_rows_are_in_order_and_complete() -> None:
    """By the number of their fault, of which none is left out, and with every cell filled."""
    numbers = [int(row[0]) for row in ROWS]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, numbers[-1] + 1))
    assert [len(row) for row in ROWS] == [6] * len(ROWS)
    assert all(cell.strip() for row in ROWS for cell in row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_every_test_that_is_named_exists(row: list[str]) -> None:
    """The file, and the function in one of those that the row names."""
    named = TEST.findall(row[-1])
    assert named or "make test" in row[-1]
    sources = [(ROOT / name).read_text() for name in named]
    for function in re.findall(r"`(test_\w+)`", row[-1]):
        assert any(f"def {function}(" in source for source in sources), function

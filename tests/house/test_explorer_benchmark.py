"""What the benchmark of the explorer says; it itself is run by hand, with a browser."""

from __future__ import annotations

from benchmarks.explorer_report import markdown

FAST = {"bytes": 40_000.0, "requests": 30.0, "milliseconds": 120.0}
SLOW = {"bytes": 500_000.0, "requests": 6.0, "milliseconds": 900.0}


def test_a_first_view_is_told_with_its_bytes_and_its_mark() -> None:
    """The mark is for the explorer; `/docs` is there to compare."""
    report = markdown({"views": {"collections": [FAST], "the log": [SLOW], "`/docs`": [SLOW]}})
    assert "| collections | 30 | 40 kB | 120 ms | 120 to 120 | met |" in report
    assert "| the log | 6 | 500 kB | 900 ms | 900 to 900 | MISSED |" in report
    assert "| `/docs` | 6 | 500 kB | 900 ms | 900 to 900 |  |" in report


def test_a_tab_is_told_before_and_after_the_events() -> None:
    """With the rate at which they came, and how long the last one took to be seen."""
    report = markdown(
        {
            "events": {
                "before": {"heap": 3.0, "elements": 500.0},
                "after": {"heap": 9.5, "elements": 800.0},
                "events": 100_000,
                "written": 20.0,
                "seen": 20.5,
            }
        }
    )
    assert "100,000 events came live, at 5,000 a second" in report
    assert "0.5 s after its answer" in report
    assert "| after | 9.5 MB | 800 |" in report

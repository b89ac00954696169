"""Schemathesis: a thousand requests that the document allows or forbids, and all its checks."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.contract.conftest import output

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_the_api_does_what_the_document_says(url: str) -> None:
    """Valid requests are taken, others refused, and every answer is as described."""
    output(
        sys.executable, "-m", "schemathesis.cli",
        "--config-file", HERE / "schemathesis.toml",
        "run", f"{url}/openapi.json",
        "--max-examples", "10",
        "--seed", "1",
        "--continue-on-failure",
        cwd=ROOT,
    )  # fmt: skip

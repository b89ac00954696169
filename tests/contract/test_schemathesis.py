"""Schemathesis: many hundred requests that the document allows or forbids, and all its checks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.contract.conftest import COLLECTIONS, Product, output
from tests.thorough import examples

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

ALL, OF_A_MODEL, OF_COLLECTIONS = (
    "^/",
    "^/(items|batch|schemas)",
    "^/(orders|old-products|batch|events|projections|stats|schemas)",
)
"""Paths: what differs from the first store is asked of the others, and not the rest again."""


@pytest.mark.parametrize(
    ("app", "paths"),
    [
        pytest.param(None, ALL, id="default"),
        pytest.param("any", OF_A_MODEL, id="any"),
        pytest.param(Product, OF_A_MODEL, id="an operator's"),
        pytest.param(COLLECTIONS, OF_COLLECTIONS, id="three collections"),
    ],
    indirect=["app"],
)
def test_the_api_does_what_the_document_says(url: str, paths: str) -> None:
    """Valid requests are taken, others refused, and every answer is as described."""
    output(
        sys.executable, "-m", "schemathesis.cli",
        "--config-file", HERE / "schemathesis.toml",
        "run", f"{url}/openapi.json",
        "--include-path-regex", paths,
        "--max-examples", str(examples(10)),
        "--seed", "1",
        "--continue-on-failure",
        cwd=ROOT,
    )  # fmt: skip

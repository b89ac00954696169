"""What a test needs of others, and is not there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skips the test, or fails it in continuous integration."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)

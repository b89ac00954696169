"""Settings as the log may have them: without what opens something."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from itemstore.cli.engine_url import HIDDEN, without_secrets
from itemstore.store.settings import Settings

_SECRET = re.compile(r"secret|password|token|credential|key", re.IGNORECASE)
"""Names of settings that are hidden whatever they hold: some that come later, too."""


def told_settings(settings: Settings) -> dict[str, Any]:
    """The settings that are not at their defaults, by name.

    Of a URL, user, password and query are hidden.
    """
    fields = Settings.model_fields
    return {
        name: _told(name, value)
        for name, value in settings.model_dump().items()
        if value != fields[name].default
    }


def _told(name: str, value: Any) -> Any:
    if _SECRET.search(name):
        return HIDDEN
    if isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return _without_secrets(text) if "://" in text and name != "cors_origins" else text


def _without_secrets(url: str) -> str:
    try:
        urlsplit(url)
    except ValueError:
        return HIDDEN
    return without_secrets(url)

"""Which environment variable, and which option, a setting is: and as which of them it was given."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from itemstore.store.setting_fields import PREFIX

READ: dict[str, str] = {}
"""Variables that were read from a file, by the name of the file; `env_file.py` notes them."""


def option_of(name: str) -> str:
    """The option of a setting."""
    return f"--{name.replace('_', '-')}"


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def given_as(name: str, options: Mapping[str, Any]) -> str:
    """A setting as the person gave it: its option, its variable, or that in a file.

    One that was not given at all is named by both.
    """
    variable = variable_of(name)
    if options.get(name) is not None:
        return option_of(name)
    typed = next((each for each in os.environ if each.upper() == variable), None)
    if typed is None:
        return f"{option_of(name)} ({variable})"
    return f"{typed} in {READ[typed]}" if typed in READ else typed


def in_words_of(sentence: str, options: Mapping[str, Any]) -> str:
    """The sentence, with the variables that it names as they were given."""

    def given(found: re.Match[str]) -> str:
        name = found[0].removeprefix(PREFIX).lower()
        if found[0].startswith(PREFIX) and options.get(name) is not None:
            return option_of(name)
        return f"{found[0]} in {READ[found[0]]}" if found[0] in READ else found[0]

    return re.sub(r"\b[A-Z][A-Z_]+\b(?!=)", given, sentence)

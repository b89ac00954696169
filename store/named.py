"""What a setting names as `module:attribute`: code of the operator's own."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any


class UnknownName(Exception):
    """A setting names what can't be imported, or is not what it should be."""

    def __init__(self, said: str, name: str, reason: str) -> None:
        super().__init__(f"{said} {name!r}{reason}.")


def imported(said: str, name: str, form: str) -> Any:
    """What `module:attribute` names, in the working directory or in what is installed.

    For a person who got it wrong, `said` is how the error begins, and `form` what to write.
    Raises UnknownName.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise UnknownName(said, name, f"; write {form}")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise UnknownName(said, name, f", which can't be imported: {error}") from error
    except Exception as error:  # the module runs, and it is the operator's own
        reason = f", which can't be imported: {type(error).__name__}: {error}"
        raise UnknownName(said, name, reason) from error

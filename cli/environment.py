"""Variables that look like settings of the store but are not."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from itemstore.cli.env_file import VARIABLE as ENV_FILE
from itemstore.server.processes import DIRECTORY
from itemstore.store.setting_fields import PREFIX, SettingFields

logger = logging.getLogger(__name__)

KUBERNETES = re.compile(r"ITEMSTORE_(SERVICE_(HOST|PORT.*)|PORT_[0-9]+_.*)")
"""What Kubernetes puts into every container beside a Service with the name `itemstore`."""


def warn_of_misspelt(names: Iterable[str]) -> None:
    """Logs which of the environment's variables no setting answers to."""
    for name, nearest in misspelt(names):
        hint = f"did you mean {nearest}?" if nearest else "`itemstore serve --help` lists them all."
        logger.warning("There is no such setting", extra={"variable": name, "hint": hint})


def misspelt(names: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Each of the names that begins as a setting and is none, with the nearest that is one."""
    known = [name.upper() for name in SettingFields.model_fields]
    for name in sorted(names):
        upper = name.upper()  # a setting is read whatever its case
        setting = upper.removeprefix(PREFIX)
        if setting == upper or setting in known or upper in {DIRECTORY, ENV_FILE}:
            continue
        if not KUBERNETES.fullmatch(upper):
            nearest = get_close_matches(setting, known, n=1)
            yield name, PREFIX + nearest[0] if nearest else None

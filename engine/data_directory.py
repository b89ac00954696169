"""What lies in a data directory besides the data: whether there was a store, and what a start made.

The data itself is `append_only_file`'s.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import suppress
from pathlib import Path

from itemstore.engine.append_only_file import DIRECTORY, DataDamaged, check, cut_zeroes
from itemstore.engine.owner import ENGINE, OWNER
from itemstore.engine.server_process import LOG, EngineFailed

logger = logging.getLogger(__name__)

BEGUN = "begun"
"""The file that says that there was data here: an engine that finds none must not begin anew."""


def holds_data(data_dir: Path) -> bool:
    """Whether an engine has run here, or its append-only file was put here."""
    return any((data_dir / name).exists() for name in (OWNER, DIRECTORY))


def inspect(data_dir: Path) -> None:
    """Mends what a crash left, where that is certain. Raises EngineFailed where data is missing."""
    try:
        check(data_dir, data_dir / BEGUN)
        cut = cut_zeroes(data_dir)
    except DataDamaged as damage:
        raise EngineFailed(data_dir, str(damage)) from None
    except OSError as error:
        raise EngineFailed(data_dir, f"The directory can't be read: {error}.") from error
    if cut:
        logger.warning(
            "Zeroes that a crash left were taken off; no acknowledged write was in them",
            extra={"file": str(cut.file), "zeroes": cut.zeroes, "after_byte": cut.at},
        )


def mark_begun(data_dir: Path) -> None:
    """Leaves word that a store was begun: without its data no engine starts here again."""
    mark = data_dir / BEGUN
    if not mark.exists():
        with suppress(OSError):
            mark.touch(mode=0o600)
            mark.write_text("A store was begun here. Its data is in appendonlydir.\n")


def remove(data_dir: Path, *, with_directory: bool) -> None:
    """Takes away what a start in a new data directory made."""
    with suppress(OSError):
        shutil.rmtree(data_dir / DIRECTORY)
        for name in (LOG, ENGINE, BEGUN, OWNER):
            (data_dir / name).unlink(missing_ok=True)
        if with_directory:
            data_dir.rmdir()

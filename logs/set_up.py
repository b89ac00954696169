"""How the log of this process goes out: for the command, and for the processes that it starts.

An application that has the store in it sets up logging as it likes, and nothing here runs.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from types import TracebackType
from typing import Any

from itemstore.logs.lines import JsonLines
from itemstore.logs.output import Output

AUTO, CONSOLE, JSON = "auto", "console", "json"

FORMAT, LEVEL = "ITEMSTORE_LOG_FORMAT", "ITEMSTORE_LOG_LEVEL"
"""The variables by which processes that are started know."""

logger = logging.getLogger(__name__)

_standing: list[Output] = []


def set_up(form: str, level: str) -> None:
    """From now on what is logged in this process goes to standard error, in this form.

    Also what others log, Python's warnings, and errors that nobody handles. What others log below
    a warning is left out, but at the level `debug`.
    """
    output = Output()
    output.setFormatter(JsonLines() if is_json(form) else _console_lines())
    for before in _standing:
        logging.root.removeHandler(before)
    _standing[:] = [output]
    logging.root.addHandler(output)
    logging.logThreads = logging.logMultiprocessing = False  # in no line, and each costs
    threshold = logging.getLevelNamesMapping()[level.upper()]
    of_others = logging.INFO if level == "debug" else max(threshold, logging.WARNING)
    logging.root.setLevel(of_others)
    logging.getLogger("itemstore").setLevel(threshold)
    warnings.showwarning = _tell_warning
    sys.excepthook = _tell_error
    threading.excepthook = _tell_error_of_thread
    sys.unraisablehook = _tell_ignored


def set_up_as_told() -> None:
    """The same for a process that is started by another one: as the environment says."""
    set_up(os.environ.get(FORMAT) or AUTO, os.environ.get(LEVEL) or "info")


def flush() -> None:
    """Waits a moment until what was logged is written, before a process ends without a word."""
    for output in _standing:
        output.flush()


def is_json(form: str) -> bool:
    """Whether this form is JSON here: `auto` is, where standard error is no terminal."""
    return form == JSON or (form == AUTO and not _is_terminal())


def _console_lines() -> logging.Formatter:
    from itemstore.logs.console_lines import ConsoleLines  # noqa: PLC0415 - of a terminal only

    return ConsoleLines(in_colour=_in_colour())


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _in_colour() -> bool:
    return _is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _tell_warning(  # noqa: PLR0913, PLR0917 - as Python calls it
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,  # noqa: ARG001
    line: object = None,  # noqa: ARG001
) -> None:
    extra = {"warning": str(message), "category": category.__name__}
    logger.warning("Python warns", extra={**extra, "place": f"{filename}:{lineno}"})


def _tell_error(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logger.critical("The process ends by an error that nobody handles", exc_info=error)


def _tell_error_of_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_type is not SystemExit:
        name = None if found.thread is None else found.thread.name
        logger.error(
            "A thread ended by an error that nobody handles",
            extra={"thread_name": name},
            exc_info=found.exc_value,
        )


def _tell_ignored(found: Any) -> None:
    logger.error(
        "An error was raised where none can be handled",
        extra={"where": repr(found.object)},
        exc_info=found.exc_value,
    )

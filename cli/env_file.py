"""A file of environment variables, `.env`, which a command reads before it looks at its settings.

What is in the environment already stays as it is, also where it is empty. All variables of the file
are set, so those of libraries (`AWS_…`, `OTEL_…`) work as well, and the processes that the command
starts have them too.
"""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.variables import READ
from itemstore.store.setting_fields import PREFIX

VARIABLE = "ITEMSTORE_ENV_FILE"
"""The environment variable that names another file; there is no setting of this name."""

USUAL = Path(".env")
"""The file that is read where none is named, if there is one in the working directory."""


def read_env_file(named: Path | None) -> None:
    """Sets the variables of the file: the named one, that of ITEMSTORE_ENV_FILE, or `.env`.

    A `.env` that is missing, or a folder, is none. Raises Stop for a file that can't be read, and
    for a line in it that is no variable.
    """
    from_variable = os.environ.get(VARIABLE)
    path = named or (Path(from_variable) if from_variable else None)
    if path is None:
        if not USUAL.exists() or USUAL.is_dir():
            return
        path, said = USUAL, str(USUAL)
    else:
        said = f"{'--env-file' if named else VARIABLE} {path}"
    there = {_unified(name) for name in os.environ}
    for name, value in _variables(path, said).items():
        if value is None or _unified(name) in there:
            continue
        try:
            os.environ[name] = value
        except ValueError:
            message = f"{said}: {name} can't be an environment variable with that value."
            raise Stop(message, MISUSED) from None
        READ[name] = str(path)


def _variables(path: Path, said: str) -> dict[str, str | None]:
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Stop(f"{said}: {error.strerror}.", MISUSED) from None
    except UnicodeDecodeError:
        raise Stop(f"{said}: it is not UTF-8.", MISUSED) from None
    for each in parse_stream(StringIO(text)):
        if each.error:
            skipped = each.original.string[: -len(each.original.string.lstrip())].count("\n")
            message = f"{said}: line {each.original.line + skipped} is not NAME=VALUE."
            raise Stop(message, MISUSED)
    return dotenv_values(stream=StringIO(text))


def _unified(name: str) -> str:
    """A setting is read whatever the case of its variable."""
    upper = name.upper()
    return upper if upper.startswith(PREFIX) else name

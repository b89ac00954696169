"""Brings the modules of others up to date: `python explorer/vendor/update.py`, with npm on PATH.

Each comes as its authors publish it, with its licence. What is changed in it is said in `MODULES`:
a browser finds a module by its place, and not by its name.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Module(NamedTuple):
    """A file of a package of npm, and the one that is made of it here."""

    package: str
    path: str
    name: str
    changed: Callable[[str], str]


def _as_it_is(text: str) -> str:
    return text


def _beside_preact(text: str) -> str:
    return text.replace('from"preact"', 'from"./preact.js"')


def _as_a_module(text: str) -> str:
    return f"{text.rstrip()}\nexport default uPlot;\n"


def _without_map(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if "sourceMappingURL" not in line) + "\n"


MODULES = (
    Module("preact", "dist/preact.mjs", "preact.js", _as_it_is),
    Module("preact", "hooks/dist/hooks.mjs", "hooks.js", _beside_preact),
    Module("htm", "dist/htm.mjs", "htm.js", _as_it_is),
    Module("uplot", "dist/uPlot.iife.min.js", "uplot.js", _as_a_module),
    Module("uplot", "dist/uPlot.min.css", "uplot.css", _as_it_is),
)


def main() -> None:
    """Puts the newest versions in place, their licences, and a table of both."""
    lines = []
    for package in dict.fromkeys(module.package for module in MODULES):
        files = _published(package)
        about = json.loads(files["package.json"])
        licence = next(name for name in files if name.upper().startswith("LICENSE"))
        (HERE / f"LICENSE.{package}").write_bytes(files[licence])
        names = []
        for module in MODULES:
            if module.package == package:
                text = module.changed(_without_map(files[module.path].decode()))
                (HERE / module.name).write_text(text)
                names.append(f"`{module.name}`")
        lines.append(
            f"| {package} | {about['version']} | {about['license']} | {', '.join(names)} |"
        )
    (HERE / "README.md").write_text(ABOUT + "\n".join(lines) + "\n")


ABOUT = """# Modules of others

Made by `update.py`, which says what is changed in them. Nothing here is edited by hand.

| package | version | licence | files |
| --- | --- | --- | --- |
"""


def _published(package: str) -> dict[str, bytes]:
    """The files of the newest version of a package, by their paths in it."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            ["npm", "pack", package, "--silent", "--pack-destination", directory],
            check=True,
            capture_output=True,
        )
        [packed] = Path(directory).iterdir()
        with tarfile.open(packed) as files:
            return {
                member.name.partition("/")[2]: file.read()
                for member in files.getmembers()
                if (file := files.extractfile(member)) is not None
            }


if __name__ == "__main__":
    main()

"""What the explorer's page asks for at once."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT

EXPLORER = ROOT / "explorer"


def begun_with(module: Path) -> set[Path]:
    """The module, and all that it and they import before anything is drawn."""
    found, waiting = set[Path](), [module]
    while waiting:
        if (each := waiting.pop()) not in found:
            found.add(each)
            names = re.findall(r'from "(\.[^"]+)"', each.read_text())
            waiting += [(each.parent / name).resolve() for name in names]
    return found


def test_the_page_asks_at_once_for_every_module_that_it_begins_with() -> None:
    """And not for one after the other, as each is read and names the next."""
    page = (EXPLORER / "page.html").read_text()
    asked = re.findall(r'<link rel="modulepreload" href="explorer/([^"]+)">', page)
    main = (EXPLORER / "main.js").resolve()
    needed = {str(each.relative_to(EXPLORER.resolve())) for each in begun_with(main) - {main}}
    assert sorted(needed) == asked

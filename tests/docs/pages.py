r"""The documentation as tests see it: pages, the fenced blocks in them, and the commands in those.

A ```console block is a terminal: `$ ` begins a command, a `\\` at a line's end goes on with it,
and what stands below is what it shows. An ```sh block is commands alone, one a line. A block
whose first line is a comment with a file name is that file, and so is one that is named after its
language, as in ```json order.json: JSON has no comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

EXAMPLES = sorted(ROOT.glob("examples/*/README.md"))
"""The pages of the examples: what they say to type, they say to type beside themselves."""

PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md"), *EXAMPLES]
)

_FENCE = re.compile(r"^```(\w*)(?: ([\w/.-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"# ([\w/-]+\.\w+)\n")


def name_of(page: Path) -> str:
    """The page's path from the root of the project."""
    return str(page.relative_to(ROOT))


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, and the line of the page that it begins on."""

    language: str
    text: str
    line: int
    name: str | None = None

    @property
    def file_name(self) -> str | None:
        """The file that the block is, None where it is none."""
        named = _FILE_NAME.match(self.text)
        return named[1] if named else self.name


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it is typed, and what the page shows below it; None: it does not say."""

    text: str
    shown: str | None
    line: int


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for fence in _FENCE.finditer(text):
        yield Block(fence[1], fence[3], text.count("\n", 0, fence.start()) + 2, fence[2])


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block; none where it is not one to type."""
    if block.language == "sh":
        yield from (
            Command(text, None, number)
            for number, text in enumerate(block.text.splitlines(), block.line)
            if text and not text.startswith("#")
        )
    elif block.language == "console":
        yield from _typed(block)


def _typed(block: Block) -> Iterator[Command]:
    typed: list[str] = []
    shown: list[str] = []
    begun = block.line
    for number, text in enumerate(block.text.splitlines(), block.line):
        if text.startswith("$ "):
            if typed:
                yield Command("\n".join(typed), "\n".join(shown), begun)
            typed, shown, begun = [text[2:]], [], number
        elif typed[-1].endswith("\\") and not shown:
            typed.append(text)
        elif text.startswith("> ") and not shown:  # as a shell asks for the rest of a quoted text
            typed.append(text[2:])
        else:
            shown.append(text)
    if typed:
        yield Command("\n".join(typed), "\n".join(shown), begun)

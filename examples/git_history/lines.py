"""The history of a git repository as lines for the import: python lines.py DIRECTORY.

Each file is an item, its path the id; each change of it an event, at the time of the commit.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime


def git(directory: str, *words: str) -> bytes:
    """What git says."""
    return subprocess.run(["git", "-C", directory, *words], check=True, capture_output=True).stdout


def commits(directory: str) -> Iterator[tuple[str, int, str, str]]:
    """Each commit of the branch, the oldest first: its id, time, author and first line."""
    form = "--format=%H%x00%ct%x00%an%x00%s"
    log = git(directory, "log", "--first-parent", "--reverse", form).decode()
    for line in log.splitlines():
        commit, seconds, author, subject = line.split("\0")
        yield commit, int(seconds), author, subject


def changes(directory: str, commit: str) -> Iterator[tuple[str, str]]:
    """What a commit did to which file: A, M or D, and the path."""
    words = ("--root", "--no-commit-id", "--no-renames", "--name-status", "-r", "-m", "-z")
    said = git(directory, "diff-tree", *words, "--first-parent", commit).decode().split("\0")
    yield from zip(said[::2], said[1::2], strict=False)


def lines(directory: str) -> Iterator[str]:
    """One event a line, as a CloudEvents object."""
    there: set[str] = set()
    latest = 0
    for commit, seconds, author, subject in commits(directory):
        latest = max(latest, seconds)  # a clock may have been wrong; the order of commits is right
        time = datetime.fromtimestamp(latest, UTC).isoformat().replace("+00:00", "Z")
        for change, path in changes(directory, commit):
            event = {"subject": path, "time": time}
            if change == "D":
                there.discard(path)
                yield json.dumps({"type": "ItemDeleted", **event})
            else:
                text = git(directory, "show", f"{commit}:{path}").decode(errors="replace")
                data = {"text": text, "commit": commit, "author": author, "subject": subject}
                kind = "ItemUpdated" if path in there else "ItemCreated"
                there.add(path)
                yield json.dumps({"type": kind, **event, "data": data})


if __name__ == "__main__":
    for each in lines(sys.argv[1]):
        print(each)

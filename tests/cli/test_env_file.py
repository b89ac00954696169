"""`.env`: variables in a file, which the environment and options win over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.forked import command
from tests.conftest import PATIENCE, killed_when_silent


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A working directory, with a store in `shop`."""
    assert run(tmp_path, "import", "--data-dir", "shop").returncode == 0
    return tmp_path


def run(here: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a directory."""
    return command(words, clean() | environment, here=here)


def clean() -> dict[str, str]:
    """The environment without any setting."""
    return {name: value for name, value in os.environ.items() if "ITEMSTORE" not in name}


def archive_in(here: Path, *words: str, **environment: str) -> str:
    """Where the store in `shop` has its archive, as `info` says."""
    told = run(here, "info", "--json", *words, **environment)
    assert (told.returncode, told.stderr) == (0, "")
    return str(json.loads(told.stdout)["archive"])


def test_a_command_reads_the_file_in_its_working_directory(here: Path) -> None:
    """With all that is usual in such files."""
    (here / ".env").write_text(
        "\ufeff# the shop\n\nexport ITEMSTORE_DATA_DIR='shop'\nPLACE=far\n"
        'ITEMSTORE_ARCHIVE="${PLACE}/away" # else within the store\r\n'
    )
    assert archive_in(here).endswith("/far/away")


def test_the_environment_wins_over_the_file_and_an_option_over_both(here: Path) -> None:
    """Whatever the case of the variable; one that is set to nothing is as it was not set at all."""
    (here / ".env").write_text("ITEMSTORE_DATA_DIR=shop\nITEMSTORE_ARCHIVE=file\n")
    assert archive_in(here).endswith("/file")
    assert archive_in(here, ITEMSTORE_ARCHIVE="environment").endswith("/environment")
    assert archive_in(here, itemstore_archive="environment").endswith("/environment")
    assert archive_in(here, ITEMSTORE_ARCHIVE="").endswith("/shop/archive")
    wins = archive_in(here, "--archive", "option", ITEMSTORE_ARCHIVE="environment")
    assert wins.endswith("/option")


def test_another_file_is_named_by_option_or_variable_and_is_the_only_one(here: Path) -> None:
    """`/dev/null` is none."""
    (here / ".env").write_text("ITEMSTORE_DATA_DIR=nowhere\n")
    (here / "shop.env").write_text("ITEMSTORE_DATA_DIR=shop\n")
    assert archive_in(here, "--env-file", "shop.env")
    assert archive_in(here, ITEMSTORE_ENV_FILE="shop.env")
    assert archive_in(here, "--env-file", "shop.env", ITEMSTORE_ENV_FILE=".env")
    assert archive_in(here, "--data-dir", "shop", ITEMSTORE_ENV_FILE="/dev/null")
    assert run(here, "info").returncode == 1


def test_a_directory_of_that_name_is_not_read(here: Path) -> None:
    """Some keep a virtual environment in it."""
    (here / ".env").mkdir()
    assert archive_in(here, "--data-dir", "shop")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"ITEMSTORE_DATA_DIR=shop\n\n\nITEMSTORE_PORT 8001\n", ".env: line 4 is not NAME=VALUE."),
        (b"ITEMSTORE_PORT: 8001\n", ".env: line 1 is not NAME=VALUE."),
        (b"A='one\nB=two\n", ".env: line 1 is not NAME=VALUE."),
        (b"A=caf\xe9\n", ".env: it is not UTF-8."),
        (b"A=b\x00c\n", ".env: A can't be an environment variable with that value."),
        (
            b"ITEMSTORE_KEEP_EVENTS=some\n",
            "ITEMSTORE_KEEP_EVENTS in .env takes a whole number of 1 or more, not 'some'.",
        ),
        (None, "--env-file none: No such file or directory."),
    ],
)
def test_a_file_with_a_mistake_is_a_line(here: Path, content: bytes | None, said: str) -> None:
    """It names the file, and the line or the variable."""
    if content is not None:
        (here / ".env").write_bytes(content)
    refused = run(here, "info", *(["--env-file", "none"] if content is None else []))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"itemstore: {said}\n"


def test_a_variable_in_it_that_is_no_setting_is_named(here: Path) -> None:
    """As one of the environment is."""
    (here / ".env").write_text("ITEMSTORE_DATADIR=x\nITEMSTORE_DATA_DIR=shop\nOTHER=1\n")
    told = run(here, "info")
    assert told.returncode == 0
    [line] = told.stderr.splitlines()
    assert "variable=ITEMSTORE_DATADIR" in line
    assert "did you mean ITEMSTORE_DATA_DIR?" in line


def test_workers_have_the_variables_of_the_file_and_so_has_the_model(here: Path) -> None:
    """Also those that are no settings: a model, or a library, reads them."""
    (here / "shop.py").write_text(
        "import os\nfrom typing import Literal\nfrom pydantic import BaseModel\n\n"
        "class Tea(BaseModel):\n    kind: str = os.environ['USUAL_TEA']\n"
    )
    (here / ".env").write_text(
        "ITEMSTORE_MODEL=shop:Tea\nITEMSTORE_WORKERS=2\nITEMSTORE_PORT=0\nUSUAL_TEA=Assam\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "itemstore", "serve"],
        cwd=here, env=clean(), stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        with killed_when_silent(server):
            url = server.stdout.readline().split()[1]
            while server.stdout.readline().partition(" ")[0] not in {"Log", ""}:
                pass
        try:
            put = httpx.put(f"{url}/items/a", json={}, timeout=PATIENCE)
        finally:
            server.terminate()
            assert server.wait(PATIENCE) == 0
    assert (put.status_code, put.json()) == (201, {"kind": "Assam"})


def test_an_application_reads_no_file(here: Path) -> None:
    """It decides itself where its settings come from."""
    (here / ".env").write_text("ITEMSTORE_MODEL=nothing:Item\n")
    made = subprocess.run(
        [sys.executable, "-c", "from itemstore import create_app; create_app()"],
        cwd=here, env=clean(), check=False, timeout=60,
    )  # fmt: skip
    assert made.returncode == 0

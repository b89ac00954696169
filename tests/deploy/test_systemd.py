"""The unit for systemd: what systemd says of it, and that it fits the command."""

from __future__ import annotations

import os
import re
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from itemstore.cli.environment import misspelt
from itemstore.server.descriptors import OWN
from itemstore.server.ending import ENGINE_SECONDS, SECONDS
from itemstore.store.setting_fields import PREFIX
from itemstore.store.settings import Settings
from tests.conftest import ROOT
from tests.deploy.proxies import program

PLACE = ROOT / "deploy/systemd"

MOST_EXPOSED = 2.0
"""Of ten, as `systemd-analyze security` reckons; most services of a distribution have nine."""


def setting(name: str, file: str = "itemstore.service") -> list[str]:
    """What is set under a name, in the order of the file."""
    text = (PLACE / file).read_text()
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a command that is there, in which systemd looks at nothing else."""
    text = (PLACE / "itemstore.service").read_text()
    file = tmp_path / "itemstore.service"
    file.write_text(text.replace("/opt/itemstore/bin/itemstore", "/bin/true"))
    return file


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    """Systemd-analyze verify says nothing; and it would say something of a mistake."""
    verify = [program("systemd-analyze"), "verify", "--man=no", str(unit)]
    found = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("PrivateTmp=yes", "PrivateTmpx=yes"))
    found = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert "PrivateTmpx" in found.stderr


def test_the_service_is_exposed_to_little(unit: Path) -> None:
    """By systemd's own reckoning."""
    command = [program("systemd-analyze"), "security", "--offline=true", "--no-pager", str(unit)]
    environment = os.environ | {"SYSTEMD_COLORS": "0"}
    found = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    level = re.search(r"exposure level for itemstore.service: ([\d.]+)", found.stdout)
    assert level is not None, found.stderr
    assert float(level[1]) <= MOST_EXPOSED


def test_there_are_files_for_all_connections_and_time_to_end() -> None:
    """As many as --max-connections wants, and as long as an end by force takes."""
    [files], [seconds] = setting("LimitNOFILE"), setting("TimeoutStopSec")
    assert int(files) >= Settings.model_fields["max_connections"].default + OWN
    assert int(seconds.removesuffix("s")) > SECONDS + ENGINE_SECONDS


@pytest.mark.parametrize("file", ["itemstore.service", "tls.conf"])
def test_every_variable_that_is_set_is_a_setting(file: str) -> None:
    """Under its right name."""
    words = " ".join(setting("Environment", file)).split()
    names = [word.partition("=")[0] for word in words if word.startswith(PREFIX)]
    assert names
    assert list(misspelt(names)) == []


def test_what_is_added_for_tls_is_a_part_of_a_unit() -> None:
    """With a reload, which the unit without TLS must not have: the signal would end it."""
    parser = ConfigParser(strict=False)
    parser.read(PLACE / "tls.conf")
    assert parser.sections() == ["Service"]
    assert setting("ExecReload", "tls.conf") == ["/bin/kill -HUP $MAINPID"]
    assert setting("ExecReload") == []

"""What the command says of its surroundings: the engine's URL, the environment, what is there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from redis import Redis as BlockingRedis

from itemstore.cli.engine_url import redis_cli, without_secrets
from itemstore.cli.environment import misspelt
from itemstore.engine.connect import connect
from itemstore.engine.local_cluster import LocalCluster
from tests.cli.test_log_commands import COMMAND, Run, run
from tests.conftest import ServerOf, Start, killed_when_silent, program_of
from tests.server.conftest import Serve, serve

__all__ = ["run", "serve"]  # fixtures


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://ann:secret@h:1/2", "redis://***@h:1/2"),
        ("redis://ann:se@cret@h:1/2", "redis://***@h:1/2"),
        ("redis://secret@h", "redis://***@h"),
        ("rediss://h/0?password=secret", "rediss://h/0?***"),
        ("redis://h?username=ann&password=se@cret", "redis://h?***"),
        ("unix://:secret@/tmp/s?db=3", "unix://***@/tmp/s?***"),
        ("unix:///tmp/a@b", "unix:///tmp/a@b"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    """Wherever in the URL it stands."""
    assert connect(url)
    assert without_secrets(url) == shown
    assert "secret" not in redis_cli(url, "PING")


def test_no_password_of_a_sentinel_or_its_engine_is_shown() -> None:
    """The hosts and the service are."""
    url = "redis+sentinel://ann:secret@h:1,i:2/shop?sentinel_password=secret"
    assert without_secrets(url) == "redis+sentinel://***@h:1,i:2/shop?***"
    assert "secret" not in redis_cli(url, "PING")


@pytest.mark.parametrize(
    "url",
    [
        "redis://:se/cret@h:1",
        "redis://ann:se#cret@h:1",
        "redis://ann:12?cret@h:1",
        "redis://se/cret@h",
        "redis://:cret@[::1",
        "redis://h?cret",
        "redis://h?passwrod=cret",
        "redis://h?db=cret",
        "rediss://h?ssl_cert_reqs=cret",
        "redis://h:cret",
        "http://ann:cret@h",
        "cret",
    ],
)
def test_a_url_that_is_none_is_refused_without_a_piece_of_it(url: str) -> None:
    """A raw sign in a password ends it early, and what is left would be named as a host."""
    with pytest.raises(ValueError, match="%40 is @") as refused:
        connect(url)
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("unix:///a%20b/c%27s?db=3", """redis-cli -s '/a b/c'"'"'s' -n 3 PING"""),
        ("redis://h:1/2", "redis-cli -u redis://h:1 -n 2 PING"),
        ("redis://ann:x@h", "redis-cli -u redis://h --user ann --askpass PING"),
        (
            "redis://h?username=a%26b&password=x",
            "redis-cli -u redis://h --user 'a&b' --askpass PING",
        ),
        ("redis://[::1]:1", "redis-cli -u 'redis://[::1]:1' PING"),
        (
            "redis+sentinel://:x@h:1,i/shop/3?sentinel_password=y",
            (
                'redis-cli -u "redis://$(redis-cli -h h -p 1 --askpass '
                'SENTINEL GET-MASTER-ADDR-BY-NAME shop | paste -sd:)" -n 3 --askpass PING'
            ),
        ),
    ],
)
def test_the_line_for_redis_cli_can_be_typed(url: str, words: str) -> None:
    """Quoted for a shell; a password is asked for."""
    assert redis_cli(url, "PING") == words


def test_the_line_of_the_banner_works_as_typed(serve: Serve, tmp_path: Path) -> None:
    """Also where the path has spaces, quotes and dollars."""
    program_of("redis")  # redis-cli comes with it
    server = serve(data_dir=tmp_path / "two words' $HOME & more")
    typed = subprocess.run(
        ["sh", "-c", server.said["Log"]], capture_output=True, check=False, timeout=30
    )
    assert (typed.returncode, typed.stderr) == (0, b"")


def test_a_variable_that_is_no_setting_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the nearest one that is; the command goes on."""
    monkeypatch.setenv("ITEMSTORE_DATADIR", "x")
    monkeypatch.setenv("ITEMSTORE_QUICKLY", "x")
    ended = run("import")
    assert ended.returncode == 0
    near, unknown, _ = ended.stderr.splitlines()
    assert "There is no such setting" in near
    assert "ITEMSTORE_DATADIR" in near
    assert "did you mean ITEMSTORE_DATA_DIR?" in near
    assert "variable=ITEMSTORE_QUICKLY" in unknown
    assert "`itemstore serve --help` lists them all." in unknown


def test_what_is_a_setting_or_somebody_else_s_is_not_named() -> None:
    """Kubernetes has variables for each service, and names are read in any case."""
    names = ["itemstore_port", "ITEMSTORE_MODEL", "ITEMSTORE_PORT_8000_TCP", "ITEMSTORES", "PATH"]
    assert list(misspelt([*names, "ITEMSTORE_SERVICE_HOST", "ITEMSTORE_COUNTERS_DIR"])) == []
    assert list(misspelt(["ITEMSTORE_PROT"])) == [("ITEMSTORE_PROT", "ITEMSTORE_PORT")]


def test_workers_name_a_misspelt_variable_once(tmp_path: Path) -> None:
    """Not each of them again."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--workers", "2", "--data-dir", str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"ITEMSTORE_WORKER": "2"},
    ) as process:
        assert process.stdout is not None
        with killed_when_silent(process):
            while process.stdout.readline().partition(" ")[0] not in {"Log", ""}:
                pass
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert said.count("did you mean ITEMSTORE_WORKERS?") == 1


@pytest.mark.parametrize("engine", ["valkey", "redis"])
def test_info_tells_what_it_may(start: Start, run: Run, engine: str) -> None:
    """An engine that keeps commands to itself, as providers do, leaves facts unknown."""
    server = start(engine)
    with BlockingRedis.from_url(server.url) as client:
        client.acl_setuser(
            "ann", enabled=True, passwords=["+pw"], keys=["*"],
            commands=["+@all", "-memory", "-info", "-config"],
        )  # fmt: skip
    url = f"unix://ann:pw@{server.socket}"
    told = run("info", "--redis-url", url)
    assert (told.returncode, told.stderr) == (0, "")
    assert "engine          unknown" in told.stdout
    facts = json.loads(run("info", "--json", "--redis-url", url).stdout)
    assert (facts["engine"], facts["events"], facts["fsync"]) == (None, 0, "unknown")


def test_info_of_what_it_may_not_read_is_a_sentence(start: Start, run: Run) -> None:
    """An engine whose user may do nothing, and one whose keys are another program's."""
    server = start("valkey")
    with BlockingRedis.from_url(server.url) as client:
        client.acl_setuser("bob", enabled=True, nopass=True, commands=["-@all"])
        client.set("items:events", "mine")
    told = run("info", "--redis-url", f"unix://bob:x@{server.socket}")
    assert (told.returncode, told.stdout, len(told.stderr.splitlines())) == (1, "", 1)
    told = run("info", "--redis-url", server.url)
    assert told.returncode == 1
    assert told.stderr == (
        "A key of the store holds something else; another program writes in this namespace.\n"
    )
    facts = dict(line.split(maxsplit=1) for line in told.stdout.splitlines())
    assert facts["engine"].startswith("Valkey 9")
    assert (facts["fsync"], facts["events"]) == ("always", "unknown")


def test_info_of_an_engine_that_may_drop_events_says_so_and_what_else_is_known(
    start: Start, run: Run
) -> None:
    """It says what to set, as `serve` does."""
    server = start("valkey", **{"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"})
    told = run("info", "--redis-url", server.url)
    assert (told.returncode, len(told.stderr.splitlines())) == (1, 1)
    assert "Set it to noeviction" in told.stderr
    facts = dict(line.split(maxsplit=1) for line in told.stdout.splitlines())
    assert (facts["durability"], facts["events"]) == ("unknown", "0")
    told = run("info", "--json", "--redis-url", server.url)
    assert told.returncode == 1
    [wrong] = json.loads(told.stdout)["wrong"]
    assert "Set it to noeviction" in wrong


def test_info_of_an_engine_that_takes_no_write_says_so_and_what_else_is_known(
    start: Start, run: Run
) -> None:
    """It is a replica, or out of memory."""
    url = start("valkey", replicaof="127.0.0.1 1").url
    told = run("info", "--redis-url", url)
    assert (told.returncode, told.stderr) == (
        1,
        "The engine is a replica now, and not the primary.\n",
    )
    assert "events          0" in told.stdout
    told = run("info", "--redis-url", start("valkey", maxmemory="1mb").url)
    assert (told.returncode, told.stderr) == (
        1,
        "The engine is out of memory: nothing can be appended until it has more.\n",
    )
    assert "events          0" in told.stdout


def test_no_verb_answers_an_engine_s_refusal_with_a_traceback(
    server_of: ServerOf, run: Run
) -> None:
    """A wrong password is a sentence of each of them, without the password."""
    socket = server_of("valkey").socket
    for verb in ("info", "export", "token list"):
        told = run(*verb.split(), "--redis-url", f"unix://ann:secret@{socket}")
        assert (told.returncode, told.stdout, len(told.stderr.splitlines())) == (1, "", 1)
        assert "secret" not in told.stderr


def test_the_line_for_a_cluster_follows_the_key() -> None:
    """redis-cli asks the node that has it."""
    line = redis_cli("redis://h:1", "XRANGE", "{0}:items:events", "-", "+", on_cluster=True)
    assert line == "redis-cli -c -u redis://h:1 XRANGE '{0}:items:events' - +"


def test_the_banner_of_a_store_with_partitions_shows_one(serve: Serve) -> None:
    """Its first, and how many there are."""
    server = serve("--partitions", "4")

    assert server.said["Parts"].startswith("4, 0 to 3; ")
    assert server.said["Log"].endswith(" XRANGE '{0}:items:events' - +")


def test_the_banner_on_a_cluster_says_how_to_find_an_item(
    serve: Serve, cluster: LocalCluster
) -> None:
    """And no password of the engine."""
    server = serve("--redis-url", cluster.url)

    where = f"redis-cli -c -u {cluster.url}"
    assert server.said["Parts"] == (
        f"16, 0 to 15; that of an item: {where} CLUSTER KEYSLOT ID, modulo 16"
    )
    assert server.said["Log"] == f"{where} XRANGE '{{0}}:items:events' - +"
    assert httpx.get(f"{server.url}/readyz").status_code == 200
    assert httpx.put(f"{server.url}/items/fox", json={}).status_code == 201


def test_a_command_that_is_interrupted_while_it_is_read_ends_without_a_traceback() -> None:
    """Reading its modules takes longest of all that a short one does."""
    program = (
        "import os, signal, sys\n"
        "from itemstore.__main__ import main\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'itemstore.cli.main':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, b"", b"")

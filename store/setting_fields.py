"""Every setting, in the one place that settings, options, help and messages are made from.

A setting is declared here and nowhere else: it is the environment variable `ITEMSTORE_<NAME>`, the
option `--<name>` of `itemstore serve`, and a row of docs/operations.md, which a test asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from itemstore.domain.partitions import MOST as MOST_PARTITIONS
from itemstore.engine.acknowledgement import PATTERN as DURABILITY
from itemstore.eventlog.terms import REMEMBERED_SECONDS

PREFIX = "ITEMSTORE_"
"""What the environment variables begin with."""

ORIGINS = r"^(\*|https?://[^/\s,?#*]+(\s*,\s*https?://[^/\s,?#*]+)*)$"
"""Origins as a browser names them, without a path, or all."""

ROOT_PATH = r"^(/[A-Za-z0-9._~-]+)+$"
"""A path that is the same percent-encoded and not, without a slash at its end."""


@dataclass(frozen=True, slots=True)
class Takes:
    """What a setting takes, in words, where its type does not say: for the person who got it wrong.

    What stands in `suggests` is offered by a shell that completes the option.
    """

    words: str
    suggests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unset:
    """What a setting that is not set comes to, in words, where its default is None."""

    words: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A setting whose value no message shows: there may be a password in it."""


@dataclass(frozen=True, slots=True)
class VariableOnly:
    """A setting that is no option: other users of the machine can see those."""


class SettingFields(BaseModel):
    """What an operator can choose. Unset means the default that stands here.

    This is quick to import, for `--help` and completion; `Settings` reads the environment.
    """

    model_config = ConfigDict(defer_build=True)

    redis_url: Annotated[
        str | None,
        Field(
            description="Engine to use: redis://, rediss://, unix:// or redis+sentinel://; of a "
            "cluster any node"
        ),
        Unset("the embedded one"),
        Secret(),
    ] = None
    data_dir: Annotated[
        Path, Field(description="Where the embedded engine keeps its data and its socket")
    ] = Path("itemstore-data")
    host: Annotated[str, Field(description="Address that the API listens on")] = "127.0.0.1"
    port: Annotated[
        int, Field(ge=0, le=65535, description="Port that the API listens on; 0: any free one")
    ] = 8000
    uds: Annotated[
        Path | None,
        Field(description="Unix socket that the API listens on, in place of address and port"),
    ] = None
    ssl_certfile: Annotated[
        Path | None,
        Field(description="Certificate with its chain, in PEM: with it the API speaks HTTPS"),
    ] = None
    ssl_keyfile: Annotated[
        Path | None,
        Field(description="Its key"),
        Unset("in the file of the certificate"),
    ] = None
    ssl_keyfile_password: Annotated[
        SecretStr | None,
        Field(description="Password of an encrypted key"),
        Secret(),
        VariableOnly(),
    ] = None
    root_path: Annotated[
        str | None,
        Field(
            pattern=ROOT_PATH,
            description="What stands in front of every path, such as /shop, where a proxy has it",
        ),
        Takes(
            "a path such as /shop, of letters, digits and . _ ~ -, and without a slash at its end"
        ),
    ] = None
    forwarded_allow_ips: Annotated[
        str,
        Field(
            description="Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: "
            "addresses and networks, separated by commas, or *"
        ),
    ] = "127.0.0.1,::1"
    workers: Annotated[int, Field(ge=1, description="Number of API processes")] = 1
    namespace: Annotated[
        str | None,
        Field(
            pattern=r"^[^\s:*?\[\]\\]{1,64}$",
            description="What all keys of the store begin with, where several share an engine",
        ),
        Takes("1 to 64 characters, without blanks and without : * ? [ ] and \\"),
    ] = None
    partitions: Annotated[
        int | None,
        Field(
            ge=1,
            le=MOST_PARTITIONS,
            description="Parts that each log is divided into, for good",
        ),
        Unset("as the store has it; of a new one 1, on a cluster 16"),
    ] = None
    durability: Annotated[
        str,
        Field(
            pattern=DURABILITY,
            description="What a write waits for: engine, fsync (its disk) or replicas:<number>",
        ),
        Takes(
            "engine, fsync or replicas:<number>", ("engine", "fsync", "replicas:1", "replicas:2")
        ),
    ] = "engine"
    model: Annotated[
        str | None,
        Field(description="Model of an item: module:Model, or any for any JSON object"),
        Unset("name and size"),
    ] = None
    collections: Annotated[
        str | None,
        Field(
            description="Kinds of items with their models, such as products=shop:Product,notes=any"
        ),
        Unset("items"),
    ] = None
    projections: Annotated[
        str | None,
        Field(description="Projections of your own: module:NAME, separated by commas"),
    ] = None
    app: Annotated[
        str | None,
        Field(
            description="A function of yours, module:function: it takes the settings, and gives "
            "what create_app made of them, with what you added"
        ),
        Unset("create_app"),
    ] = None
    archive: Annotated[
        str | None,
        Field(
            description="Where the log is kept for ever: a directory, s3://, gs:// or az://; or off"
        ),
        Unset("with the embedded engine, archive in its data directory"),
    ] = None
    archive_seconds: Annotated[
        float,
        Field(
            gt=0, allow_inf_nan=False, description="How often what is new is archived, in seconds"
        ),
    ] = 10.0
    archive_cache: Annotated[
        int, Field(ge=0, description="Bytes of the archive that one process keeps in memory")
    ] = 67_108_864
    keep_events: Annotated[
        int,
        Field(ge=1, description="Newest events that stay in the engine, where there is an archive"),
    ] = 1_000_000
    keep_bytes: Annotated[
        int,
        Field(ge=1, description="Bytes of the newest events that stay in the engine, likewise"),
    ] = 1_073_741_824
    sql_url: Annotated[
        str | None,
        Field(
            description="Where items are kept for queries: postgresql://, sqlite:///PATH, or off"
        ),
        Unset("SQLite, in the data directory"),
        Secret(),
    ] = None
    indexes: Annotated[
        str | None,
        Field(description="Members that queries find items by fast: products=title,price_cents"),
    ] = None
    text: Annotated[
        str | None,
        Field(description="Members whose words can be searched: products=title,description"),
    ] = None
    query_rows: Annotated[
        int, Field(ge=1, description="Items that a query looks at, at most, before it is refused")
    ] = 100_000
    query_seconds: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="How long a query may take, in seconds")
    ] = 5.0
    max_body: Annotated[int, Field(ge=1, description="Largest request body, in bytes")] = 1_048_576
    max_waiting: Annotated[
        int, Field(ge=1, description="Requests of one process that may wait before 503 is answered")
    ] = 500
    max_connections: Annotated[
        int, Field(ge=1, description="Connections of clients that one process has at once")
    ] = 10_000
    max_streams: Annotated[
        int, Field(ge=1, description="Feeds, JSON lines and long polls of one process at once")
    ] = 1_000
    max_unsent: Annotated[
        int,
        Field(ge=1, description="Bytes of answers that wait in one process for their clients"),
    ] = 268_435_456
    client_seconds: Annotated[
        int,
        Field(ge=1, description="How long a client may hold up its request, or take no answer"),
    ] = 30
    insecure_no_auth: Annotated[
        bool,
        Field(description="Serve other addresses than loopback although the store has no token"),
    ] = False
    cors_origins: Annotated[
        str | None,
        Field(
            pattern=ORIGINS,
            description="Origins whose scripts may use the API, separated by commas, or *",
        ),
        Takes("origins such as https://example.org, separated by commas, or *"),
    ] = None
    idempotency_seconds: Annotated[
        int, Field(ge=1, description="How long the outcome of an Idempotency-Key is kept")
    ] = REMEMBERED_SECONDS
    require_conditions: Annotated[
        bool,
        Field(description="Answer 428 to a write of an existing item that carries no condition"),
    ] = False
    explorer: Annotated[
        bool, Field(description="Whether there is a page for people, /explorer")
    ] = True
    log_format: Annotated[
        str,
        Field(
            pattern=r"^(auto|console|json)$",
            description="Form of the log: console, json; auto: console on a terminal, else json",
        ),
        Takes("auto, console or json", ("auto", "console", "json")),
    ] = "auto"
    log_level: Annotated[
        str,
        Field(
            pattern=r"^(debug|info|warning|error)$",
            description="What is logged: debug, info, warning or error, and what is worse",
        ),
        Takes("debug, info, warning or error", ("debug", "info", "warning", "error")),
    ] = "info"
    access_log: Annotated[
        bool, Field(description="Whether each request is logged when it is answered")
    ] = False

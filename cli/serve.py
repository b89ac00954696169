"""`itemstore serve`: the API, and the embedded engine where no other is named."""

from __future__ import annotations

from typing import Annotated

import typer

from itemstore.cli.interruption import leave_signals_alone
from itemstore.cli.options import (
    Archive,
    DataDir,
    LogFormat,
    Namespace,
    Projections,
    RedisUrl,
    SqlUrl,
)


def serve(
    context: typer.Context,
    redis_url: RedisUrl = None,
    data_dir: DataDir = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0: any free one.", show_default="8000")
    ] = None,
    uds: Annotated[
        str | None,
        typer.Option(help="Unix socket to listen on, in place of an address and a port."),
    ] = None,
    ssl_certfile: Annotated[
        str | None, typer.Option(help="Certificate and its chain, in PEM, to speak HTTPS with.")
    ] = None,
    ssl_keyfile: Annotated[
        str | None, typer.Option(help="Its key; without it, in the file of the certificate.")
    ] = None,
    root_path: Annotated[
        str | None,
        typer.Option(help="What stands in front of every path behind a proxy: /shop."),
    ] = None,
    forwarded_allow_ips: Annotated[
        str | None,
        typer.Option(
            help="Proxies that may say who a client is: addresses, networks, or *.",
            show_default="127.0.0.1,::1",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of API processes.", show_default="1")
    ] = None,
    namespace: Namespace = None,
    partitions: Annotated[
        int | None,
        typer.Option(
            help="Parts that each log is divided into, for good. Without it: as the store has it; "
            "a new one has 1, on a cluster 16.",
        ),
    ] = None,
    durability: Annotated[
        str | None,
        typer.Option(
            help="What a write waits for: engine, fsync or replicas:<number>.",
            show_default="engine",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model of an item: module:Model, or any.")
    ] = None,
    collections: Annotated[
        str | None,
        typer.Option(help="Kinds of items, with models: products=shop:Product,notes=any."),
    ] = None,
    projections: Projections = None,
    app: Annotated[
        str | None,
        typer.Option(help="Function that gives the application, with yours: module:function."),
    ] = None,
    archive: Archive = None,
    archive_seconds: Annotated[
        float | None,
        typer.Option(help="Seconds between two looks for what is new.", show_default="10.0"),
    ] = None,
    archive_cache: Annotated[
        int | None,
        typer.Option(help="Bytes of the archive that stay in memory.", show_default="67108864"),
    ] = None,
    keep_events: Annotated[
        int | None,
        typer.Option(
            help="Newest events that stay in the engine, with an archive.", show_default="1000000"
        ),
    ] = None,
    keep_bytes: Annotated[
        int | None,
        typer.Option(
            help="Bytes of the newest events that stay in the engine.", show_default="1073741824"
        ),
    ] = None,
    sql_url: SqlUrl = None,
    indexes: Annotated[
        str | None, typer.Option(help="Members that are indexed: products=title,price_cents.")
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(help="Members whose words can be searched: products=title,description."),
    ] = None,
    query_rows: Annotated[
        int | None,
        typer.Option(help="Items that a query looks at, at most.", show_default="100000"),
    ] = None,
    query_seconds: Annotated[
        float | None, typer.Option(help="Seconds that a query may take.", show_default="5.0")
    ] = None,
    max_body: Annotated[
        int | None, typer.Option(help="Largest request body, in bytes.", show_default="1048576")
    ] = None,
    max_waiting: Annotated[
        int | None, typer.Option(help="Requests that may wait before 503.", show_default="500")
    ] = None,
    max_connections: Annotated[
        int | None, typer.Option(help="Client connections at once.", show_default="10000")
    ] = None,
    max_streams: Annotated[
        int | None,
        typer.Option(help="Feeds, JSON lines and long polls at once.", show_default="1000"),
    ] = None,
    max_unsent: Annotated[
        int | None,
        typer.Option(
            help="Bytes of answers that wait for their clients.", show_default="268435456"
        ),
    ] = None,
    client_seconds: Annotated[
        int | None,
        typer.Option(
            help="Seconds for which a client may stall its request, or take nothing of an answer.",
            show_default="30",
        ),
    ] = None,
    insecure_no_auth: Annotated[
        bool | None,
        typer.Option(
            "--insecure-no-auth",
            help="Serve addresses other than loopback although the store has no token.",
        ),
    ] = None,
    cors_origins: Annotated[
        str | None,
        typer.Option(help="Origins whose scripts may use the API, separated by commas, or *."),
    ] = None,
    idempotency_seconds: Annotated[
        int | None,
        typer.Option(
            help="Seconds for which the outcome of an Idempotency-Key is kept.",
            show_default="86400",
        ),
    ] = None,
    require_conditions: Annotated[
        bool | None,
        typer.Option(help="Answer 428 to a write of an existing item without a condition."),
    ] = None,
    explorer: Annotated[
        bool | None,
        typer.Option(help="Whether there is a page for people, /explorer.", show_default="True"),
    ] = None,
    log_format: LogFormat = None,
    log_level: Annotated[
        str | None,
        typer.Option(help="What is logged: debug, info, warning, error.", show_default="info"),
    ] = None,
    access_log: Annotated[
        bool | None, typer.Option(help="Log each request when it is answered.")
    ] = None,
) -> None:
    """Run the API, and the embedded engine where no other is named.

    Every option is also an environment variable: --redis-url is ITEMSTORE_REDIS_URL. The password
    of an encrypted key is one only: ITEMSTORE_SSL_KEYFILE_PASSWORD.
    """
    from itemstore.cli import serving
    from itemstore.cli.entrance import entrance_of, listening
    from itemstore.cli.opening import run_to_end

    given = serving.checked(context.params)
    entrance = entrance_of(given)
    with listening(given) as listener, serving.engine_of(given) as found:
        store = run_to_end(lambda: serving.check(found))
        leave_signals_alone()
        serving.announce(store, listener)
        serving.serve_on(listener, store.settings, entrance)

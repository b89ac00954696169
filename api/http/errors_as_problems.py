"""Which error is which problem: the only place that knows both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from itemstore.api.http.entity_tags import version_tag
from itemstore.api.http.paths import versions_path
from itemstore.api.http.problems import Problem
from itemstore.domain.errors import DifferentPartitions, ItemNotFound, UnexpectedVersion
from itemstore.domain.expected import NOTHING
from itemstore.domain.ids import InvalidItemId
from itemstore.engine.durability import UnsafeEngine
from itemstore.engine.errors import LogBroken, LogFull, LogOverloaded, LogUnavailable
from itemstore.eventlog.codec import MalformedEntry
from itemstore.eventlog.excerpts import LONGEST, around, quoted, sentence
from itemstore.eventlog.idempotency import AlreadyDone, KeyInUse, KeyReused
from itemstore.eventlog.json_text import MalformedJson
from itemstore.eventlog.log_id import OtherLog
from itemstore.eventlog.past import PastDamaged, PastUnavailable
from itemstore.projections.counts import MalformedCounts
from itemstore.projections.queries.errors import InvalidQuery, QueryTooExpensive
from itemstore.projections.row import MalformedRow
from itemstore.projections.sql.errors import ReadModelBehind, SqlUnavailable
from itemstore.server.refusals import Overloaded, Refusal, Refused
from itemstore.store.model_errors import InvalidItem
from itemstore.store.nodes import NotWritable
from itemstore.store.standing import StoreClosed
from itemstore.store.tokens import TokenInvalid

REFUSALS = {
    Refusal.MALFORMED_REQUEST: "malformed-request",
    Refusal.REQUEST_TIMEOUT: "request-timeout",
    Refusal.URL_TOO_LONG: "uri-too-long",
    Refusal.MISDIRECTED: "misdirected",
    Refusal.HEAD_TOO_LARGE: "headers-too-large",
    Refusal.NOT_IMPLEMENTED: "not-implemented",
    Refusal.OVERLOADED: "overloaded",
    Refusal.VERSION_NOT_SUPPORTED: "version-not-supported",
}
"""Which problem it is that the server refuses a request."""


def problem_of(error: Exception) -> Problem | None:
    """The problem that an error is answered with; None for one that has no place in the table."""
    if isinstance(error, Problem):
        return error
    for kind, translate in _TRANSLATIONS.items():
        if isinstance(error, kind):
            return translate(error)
    return None


def challenge(error: str | None = None) -> dict[str, str]:
    """The header field of an answer that asks for a token, or for another one (RFC 6750 §3)."""
    realm = 'Bearer realm="itemstore"'
    return {"WWW-Authenticate": realm if error is None else f'{realm}, error="{error}"'}


def _item_not_found(error: ItemNotFound) -> Problem:
    if error.deleted_version is None:
        return Problem("item-not-found", f"There is no item {quoted(error.item, LONGEST)}.")
    return Problem(
        "item-deleted",
        f"Item {quoted(error.item, LONGEST)} was deleted at version {error.deleted_version}.",
        members={"version": error.deleted_version},
        links={"version-history": versions_path(f"/{error.collection}", error.item)},
    )


def _unexpected_version(error: UnexpectedVersion) -> Problem:
    members = {"version": error.version, "expected": str(error.expected)}
    headers = {} if error.version is None else {"ETag": version_tag(error.version).decode()}
    sentence = str(error)
    if error.expected == NOTHING:
        sentence = (
            "No version can meet the conditions: an entity tag is a version in quotes, such as "
            f'"{error.version or 1}", and a weak one (W/) matches no If-Match.'
        )
    return Problem("unexpected-version", sentence, members=members, headers=headers)


def _different_partitions(error: DifferentPartitions) -> Problem:
    return Problem(
        "different-partitions",
        f"The item of request {error.index} is in partition {error.partition}, and that of the "
        f"first in partition {error.first}. Nothing was carried out. Ids with the same text in "
        "braces are in one partition: order:{7} and {7}:lines:1 can be written together.",
        members={
            "index": error.index,
            "partition": error.partition,
            "first_partition": error.first,
        },
    )


def _invalid_item(error: InvalidItem) -> Problem:
    errors = [{"pointer": pointer, "detail": detail} for pointer, detail in error.errors]
    return Problem("invalid-item", str(error), members={"errors": errors, "count": error.count})


def _invalid_query(error: InvalidQuery) -> Problem:
    members = {"parameter": error.parameter, "place": error.place}
    detail = f"{error.parameter}: {sentence(error.reason)}."
    if error.place is not None and error.text is not None:
        where = "At the end of" if error.place >= len(error.text) else "At the arrow in"
        detail += f" {where} {around(error.text, error.place)}."
    return Problem("invalid-query", detail, members=members)


def _query_too_expensive(error: QueryTooExpensive) -> Problem:
    members: dict[str, Any] = {"index": error.index}
    detail = f"{error.reason.rstrip('.')}."
    if error.setting is not None:
        members["setting"] = f"ITEMSTORE_INDEXES={error.setting}"
        detail += f" {members['setting']} declares it."
    if error.is_declared:
        detail += " It is declared, and is still being made."
    return Problem("query-too-expensive", detail, members=members)


def _read_model_behind(error: ReadModelBehind) -> Problem:
    return Problem(
        "read-model-behind",
        f"{error.reason.rstrip('.')}.",
        members={"position": error.position, "retry_after": 1},
        headers={"Retry-After": "1", "Position": error.position},
    )


def _unavailable(slug: str) -> Callable[[LogUnavailable | Overloaded], Problem]:
    def translate(error: LogUnavailable | Overloaded) -> Problem:
        return Problem(
            slug,
            str(error),
            members={"retry_after": error.retry_after},
            headers={"Retry-After": str(error.retry_after)},
        )

    return translate


def _not_writable(error: NotWritable) -> Problem:
    partitions = [asdict(each) for each in error.unwritable]
    return Problem(
        "log-unavailable",
        str(error),
        members={"retry_after": error.retry_after, "partitions": partitions},
        headers={"Retry-After": str(error.retry_after)},
    )


def _unsafe_engine(error: UnsafeEngine) -> Problem:
    # An operator has to act first, so there is no hurry.
    return _unavailable("log-unavailable")(LogUnavailable(str(error), retry_after=60))


def _sql_unavailable(error: SqlUnavailable) -> Problem:
    return _unavailable("read-model-unavailable")(LogUnavailable(str(error)))


def _plain(slug: str) -> Callable[[Exception], Problem]:
    return lambda error: Problem(slug, str(error))


# The first match counts: a subclass stands before its class.
_TRANSLATIONS: dict[type[Exception], Callable[[Any], Problem]] = {
    ItemNotFound: _item_not_found,
    UnexpectedVersion: _unexpected_version,
    DifferentPartitions: _different_partitions,
    InvalidItemId: _plain("invalid-item-id"),
    TokenInvalid: lambda error: Problem(
        "unauthorized", str(error), headers=challenge("invalid_token")
    ),
    StoreClosed: lambda error: Problem("unauthorized", str(error), headers=challenge()),
    MalformedJson: _plain("malformed-json"),
    InvalidItem: _invalid_item,
    InvalidQuery: _invalid_query,
    QueryTooExpensive: _query_too_expensive,
    ReadModelBehind: _read_model_behind,
    SqlUnavailable: _sql_unavailable,
    LogOverloaded: _unavailable("overloaded"),
    Overloaded: _unavailable("overloaded"),
    Refused: lambda error: Problem(REFUSALS[error.refusal], str(error)),
    PastUnavailable: _unavailable("archive-unavailable"),
    NotWritable: _not_writable,
    LogUnavailable: _unavailable("log-unavailable"),
    UnsafeEngine: _unsafe_engine,
    LogFull: _plain("log-full"),
    PastDamaged: _plain("archive-damaged"),
    LogBroken: _plain("store-damaged"),
    MalformedRow: _plain("store-damaged"),
    MalformedCounts: _plain("store-damaged"),
    MalformedEntry: _plain("store-damaged"),
    AlreadyDone: lambda _: Problem(
        "gone", "The event that this Idempotency-Key stands for was removed from the log."
    ),
    OtherLog: lambda error: Problem(
        "other-log", str(error), members={"log": error.log, "end": error.end}
    ),
    KeyInUse: lambda _: Problem(
        "idempotency-key-in-use",
        "The first request with this Idempotency-Key is still running.",
        headers={"Retry-After": "1"},
    ),
    KeyReused: lambda _: Problem(
        "idempotency-key-reused", "This Idempotency-Key was used for another request."
    ),
}

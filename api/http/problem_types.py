"""The types of problem that the API answers with (RFC 9457), in one table.

A problem's `type` is `/problems/<slug>`, a page that this table fills.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of error: what it means and what to do about it."""

    slug: str
    status: int
    title: str
    meaning: str
    remedy: str


PROBLEM_TYPES = {
    kind.slug: kind
    for kind in (
        ProblemType(
            "unauthorized", 401, "The request has no valid token",
            "The store has tokens, so every request wants one; this one has none, or one that is "
            "not valid (any more).",
            "Send `Authorization: Bearer <token>`; the operator makes one with "
            "`itemstore token create`.",
        ),
        ProblemType(
            "forbidden", 403, "The token does not allow this",
            "A reader may read, a writer may write too. A token may be bound to collections and "
            "to prefixes of ids: then nothing else is open to it.",
            "Use a token with the role that `detail` names, or one that is not bound so.",
        ),
        ProblemType(
            "cross-origin", 403, "Not allowed across origins",
            "A script of another origin asked for something that this store does not allow there.",
            "The operator lists the origins in `ITEMSTORE_CORS_ORIGINS`; docs/http.md has the "
            "header fields.",
        ),
        ProblemType(
            "not-found", 404, "There is nothing at this URL",
            "No resource of the store has this path.",
            "GET / lists the resources. A slash inside an item id is written %2F.",
        ),
        ProblemType(
            "item-not-found", 404, "There is no such item",
            "No item with this id was ever created.",
            "Create it with PUT, or look in GET /items for the ids that exist.",
        ),
        ProblemType(
            "item-deleted", 404, "The item was deleted",
            "The item existed and was deleted; `version` is the version that deleted it.",
            "PUT creates it again; its versions go on counting.",
        ),
        ProblemType(
            "version-not-found", 404, "The item has no such version",
            "Versions count from 1; `version` is the last one there is.",
            "GET /items/{id}/versions lists them.",
        ),
        ProblemType(
            "gone", 410, "The log no longer has this",
            "The operator removed the oldest events from the log by hand.",
            "Start at the oldest event there is: GET /events without `after`.",
        ),
        ProblemType(
            "method-not-allowed", 405, "The resource does not have this method",
            "The path is right, the method is not one of those in the Allow header.",
            "Use a method that the Allow header names.",
        ),
        ProblemType(
            "malformed-header", 400, "A header can't be read",
            "If-Match or If-None-Match holds neither * nor a list of quoted entity tags, "
            "Accept-Datetime no date, If-Position no position, or Idempotency-Key no key; or the "
            "resource takes no Idempotency-Key.",
            'Write tags and keys with their quotes: If-Match: "3", or If-Match: "3", "4", or '
            "If-Match: *; write dates as in Mon, 23 Nov 2026 08:09:06 GMT.",
        ),
        ProblemType(
            "malformed-request", 400, "This is no valid request of HTTP/1.1",
            "What came can't be read as a request (RFC 9112), or its Host or target can't be one. "
            "The connection is closed.",
            "Send the request with a client that speaks HTTP/1.1, over a connection of its own.",
        ),
        ProblemType(
            "malformed-json", 400, "The body is not JSON",
            "The body is empty, is not UTF-8, or breaks RFC 8259; NaN, infinite numbers, lone "
            "surrogates, an object with the same key twice, too deep a nesting and too long an "
            "integer are refused too.",
            "Send one JSON value in UTF-8, in at most 200 levels of lists and objects, with "
            "integers of at most 4,300 digits.",
        ),
        ProblemType(
            "malformed-patch", 400, "The patch can't be read",
            "The body is JSON, but not a JSON Patch (RFC 6902).",
            "Send a list of operations, each with `op`, `path` and what the operation needs.",
        ),
        ProblemType(
            "partial-put", 400, "PUT takes the whole item",
            "A PUT with Content-Range would replace a part, which this store does not do "
            "(RFC 9110 §14.5).",
            "Send the whole item without Content-Range, or change a part of it with PATCH.",
        ),
        ProblemType(
            "malformed-cursor", 400, "The cursor is not one of this list",
            "`after` takes the `next` of an earlier page of the same list; of events, the "
            "position (`id`) of the last one seen; of several partitions, the `after` of a Link, "
            "the Position of a page, or the `id` of a live stream.",
            "Start again without `after`, and follow `next` or the Link header.",
        ),
        ProblemType(
            "request-timeout", 408, "The request took too long to come",
            "The header was not complete, or nothing of the body came, for as long as the "
            "operator allows (ITEMSTORE_CLIENT_SECONDS). The connection is closed.",
            "Send the request again, in one go.",
        ),
        ProblemType(
            "patch-conflict", 409, "The patch does not fit the item as it is",
            "A `test` operation failed, or an operation's path does not exist in the item.",
            "GET the item and make a patch for what it is now.",
        ),
        ProblemType(
            "idempotency-key-in-use", 409, "The first request with this key is still running",
            "Another request with the same Idempotency-Key has not been answered yet.",
            "Try again after Retry-After seconds; the answer of the first request then comes.",
        ),
        ProblemType(
            "other-log", 409, "The position is not one of this log",
            "It is of another log, or from ahead of the end of this one: the store was emptied, or "
            "an older backup of it brought back, or this is another store. `log` is the id of the "
            "log that is here, `end` its last position; of several partitions, a cursor.",
            "Forget what came from the other log, and read this one from its start: GET /events "
            "without `after`.",
        ),
        ProblemType(
            "operation-running", 409, "Another operation is running",
            "The store carries out one operation at a time; `running` is the id of the one that "
            "it is at.",
            "Wait for its end, or cancel it: DELETE /admin/operations/{operation}.",
        ),
        ProblemType(
            "operation-ended", 409, "The operation has ended",
            "There is nothing left to cancel. An operation that has ended is kept for a while.",
            "GET it: its `status` says how it ended.",
        ),
        ProblemType(
            "token-exists", 409, "There is a token of this name already",
            "A name stands for one token; it is the actor of what is written with it.",
            "Choose another name, or revoke the token that has it first.",
        ),
        ProblemType(
            "last-token", 409, "It is the only token",
            "Without any token the store would be open to every client that reaches it.",
            "Make another one first. To open the store, the operator revokes it with "
            "`itemstore token revoke --open-store`.",
        ),
        ProblemType(
            "unexpected-version", 412, "The item is not what the request expects",
            "A condition (If-Match, If-None-Match, If-Unmodified-Since) does not hold. `version` "
            "is the version that the item is at, null where there is none; ETag carries it too.",
            "GET the item, decide again on what it is now, and send its ETag in If-Match.",
        ),
        ProblemType(
            "content-too-large", 413, "The body is too large",
            "The body, or what a patch makes of the item, has more bytes than the operator allows "
            "(ITEMSTORE_MAX_BODY).",
            "Send a smaller body; `limit` is the number of bytes that are allowed.",
        ),
        ProblemType(
            "uri-too-long", 414, "The URL is too long",
            "A path with its query has at most 8,000 bytes; an id has at most 512.",
            "Shorten the query.",
        ),
        ProblemType(
            "unsupported-media-type", 415, "The body's media type is not one that is read here",
            "The Content-Type is missing, another one, or names a charset besides UTF-8; or the "
            "body has a Content-Encoding.",
            "Send the type that the Accept or Accept-Patch header names, in UTF-8 and without a "
            "coding.",
        ),
        ProblemType(
            "misdirected", 421, "The store does not go by this name",
            "The store has no tokens and listens on this machine alone; the request names another "
            "host (RFC 9110 §15.5.20), as a page would whose name was pointed at this machine. Or "
            "its target is a URL of another scheme than the connection's (§7.4).",
            "Ask for localhost or an address; behind a proxy that passes its own Host on, the "
            "operator makes a token or says --insecure-no-auth.",
        ),
        ProblemType(
            "invalid-item", 422, "The body is JSON, but not an item",
            "The model of the items refuses it, or would not accept it unchanged when it is sent "
            "back. Each of `errors`, the first 20 of `count`, has a JSON Pointer (RFC 6901) to the "
            "place, and says what is wrong there.",
            "Correct the values that `errors` points to; GET /openapi.json has the model.",
        ),
        ProblemType(
            "idempotency-key-reused", 422, "The key was used for another request",
            "An Idempotency-Key stands for one request: the same method, path, body and "
            "conditions.",
            "Use a new key for a new request.",
        ),
        ProblemType(
            "invalid-item-id", 422, "This can't be an item id",
            "An id is UTF-8 text of 1 to 512 bytes without control characters, and not . or .. "
            "(which clients and proxies normalise away).",
            "Choose another id, percent-encoded in the path.",
        ),
        ProblemType(
            "invalid-parameter", 422, "A query parameter is not valid",
            "A parameter is unknown here, is given twice, or has a value out of its range.",
            "Correct the parameters that `errors` names.",
        ),
        ProblemType(
            "invalid-query", 422, "A part of the query can't be read",
            "`parameter` is the one that is not what it should be. `place` counts the characters "
            "of its text before what is wrong, null where it is the whole.",
            "Correct it as `detail` says. `where` is a filter expression of RFC 9535, "
            "percent-encoded: && is %26%26, + is %2B, % is %25, # is %23.",
        ),
        ProblemType(
            "query-too-expensive", 422, "The query would take too much",
            "It would look at more items than it may (ITEMSTORE_QUERY_ROWS), takes longer "
            "(ITEMSTORE_QUERY_SECONDS), or needs more memory. `index` is the path whose index "
            "would help, null where none would.",
            "Ask for less: a narrower `where`, a `prefix`, a simpler expression. Or the operator "
            "declares the index: `setting` is what to write.",
        ),
        ProblemType(
            "queries-off", 422, "This store does not answer queries",
            "The operator has turned the read model off (ITEMSTORE_SQL_URL=off), from which "
            "`where`, `order`, `search` and `min_position` are answered.",
            "List the items without these, by `prefix`, `after`, `limit` and `fields`.",
        ),
        ProblemType(
            "invalid-batch", 422, "This can't be a batch",
            "A batch is a list of 1 to 128 requests: PUT, PATCH and DELETE of items, POST to "
            "collections, and HEAD with a condition as a check. `index` is the place in the list, "
            "from 0, of the first that is none of them. Nothing was carried out.",
            "Correct the request that `index` points to, as `detail` says; GET /openapi.json has "
            "the form of a batch.",
        ),
        ProblemType(
            "different-partitions", 422, "The items are not all in one partition",
            "The store has several partitions, and what happens in one moment is in one of them. "
            "`index` is the place in the batch, from 0, of the first request whose item is in "
            "another one (`partition`) than that of the first request (`first_partition`). "
            "Nothing was carried out.",
            "Give items that change together ids with the same hash tag, which is what stands in "
            "the first braces: order:{7} and {7}:lines:1 are in one partition, in any collection. "
            "An id's partition is its slot, which `redis-cli CLUSTER KEYSLOT order:{7}` says, "
            "modulo the number of partitions. Or send requests for different partitions in "
            "batches of their own.",
        ),
        ProblemType(
            "invalid-body", 422, "The body is JSON, but not what this resource takes",
            "Each of `errors`, the first 20 of `count`, has a JSON Pointer (RFC 6901) to the "
            "place, and says what is wrong there.",
            "Correct the values that `errors` points to; GET /openapi.json has the form.",
        ),
        ProblemType(
            "precondition-required", 428, "This store wants a condition on every change",
            "The operator demands If-Match or another condition on a write of an item that "
            "exists (RFC 6585 §3), so that nobody overwrites what they have not seen.",
            "GET the item and send its ETag in If-Match.",
        ),
        ProblemType(
            "headers-too-large", 431, "The header is too large",
            "The request line and all header fields together have at most 32 KiB (RFC 6585 §5). "
            "The connection is closed.",
            "Send fewer or shorter header fields; cookies are not needed here.",
        ),
        ProblemType(
            "internal-error", 500, "The store has made an error",
            "Something that should not happen did; the server's log says what.",
            "Report it, with the time and the request.",
        ),
        ProblemType(
            "store-damaged", 500, "A key of the store holds something else",
            "A row or a key can't be read; nothing was written. Somebody changed it by hand, or "
            "another program writes in this namespace.",
            "The operator compares log and projection with `itemstore verify` and makes the "
            "projection again with `itemstore rebuild`.",
        ),
        ProblemType(
            "archive-damaged", 500, "The archive lacks something, or has it altered",
            "What was asked for is in the older part of the log, and what the archive has of it is "
            "not what was put there. Nothing was answered in its place.",
            "The operator finds out what is wrong with `itemstore archive check`, and brings the "
            "file back that it names.",
        ),
        ProblemType(
            "not-implemented", 501, "This part of HTTP is not here",
            "The method is not one of HTTP's (RFC 9110 §9.1), or the body has a transfer coding "
            "besides chunked (RFC 9112 §6.1). The connection is closed.",
            "Write methods in upper case, and send a body as it is, with a Content-Length or "
            "chunked.",
        ),
        ProblemType(
            "log-unavailable", 503, "The log can't be reached now",
            "The engine is away, starting, or refuses writes, or did not make a write as durable "
            "as the operator wants. A write left no event, or one.",
            "Try again after Retry-After seconds; with If-Match or If-None-Match a second try "
            "can't write twice.",
        ),
        ProblemType(
            "archive-unavailable", 503, "The archive can't be asked now",
            "What was asked for is in the older part of the log, which is in the archive and no "
            "longer in the engine; the archive is away, slow, or not known to this process. What "
            "is newer is answered, and writes go on.",
            "Try again after Retry-After seconds; the operator looks where `ITEMSTORE_ARCHIVE` "
            "points.",
        ),
        ProblemType(
            "read-model-behind", 503, "Queries have not caught up yet",
            "What queries are answered from follows the log, and did not get to the position that "
            "the request wants within two seconds; or it is just being made from the log. "
            "`position` is where it is. A position from ahead of the log is never reached.",
            "Try again after Retry-After seconds, or without `min_position`. GET /items/{id} is "
            "always as new as the last write.",
        ),
        ProblemType(
            "read-model-unavailable", 503, "Queries can't be answered now",
            "The database that they are answered from is away, or can't be used. Items, lists "
            "without a query and writes go on.",
            "Try again after Retry-After seconds; the operator looks at the server's log, and "
            "where `ITEMSTORE_SQL_URL` points.",
        ),
        ProblemType(
            "overloaded", 503, "There is too much to do",
            "One process has as many requests, reads, connections, streams or unread answers as "
            "it takes; or the work on a large body, or of the operator's model, took more than "
            "ten seconds. Nothing was written.",
            "Try again after Retry-After seconds, and slow down.",
        ),
        ProblemType(
            "version-not-supported", 505, "This is HTTP/1.1",
            "The request line names a version of HTTP that is not 1.x. The connection is closed.",
            "Send the request as HTTP/1.1; HTTP/2 ends at a proxy in front.",
        ),
        ProblemType(
            "log-full", 507, "The engine has no room left",
            "It is out of memory, or its disk is nearly full. Nothing was written; reads go on.",
            "The operator gives the engine more memory, or makes room on its disk.",
        ),
    )
}  # fmt: skip

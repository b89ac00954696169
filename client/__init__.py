"""A client of the store for Python: typed, for threads and for coroutines.

It needs httpx, which `itemstore[client]` brings, and imports nothing of the server.
"""

from itemstore.client.answers import (
    BatchResult,
    Deleted,
    Event,
    ItemVersion,
    Page,
    VersionEntry,
    Written,
)
from itemstore.client.async_client import AsyncClient
from itemstore.client.batch import Check, Create, Delete, Patch, Put
from itemstore.client.client import Client
from itemstore.client.failures import (
    Conflict,
    ConnectionFailed,
    Forbidden,
    Gone,
    Invalid,
    InvalidId,
    ItemDeleted,
    Malformed,
    Misfit,
    NotFound,
    OtherLog,
    PreconditionFailed,
    PreconditionRequired,
    ProblemError,
    RateLimited,
    StoreError,
    StoreFull,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from itemstore.client.retries import Retries

__all__ = [
    "AsyncClient",
    "BatchResult",
    "Check",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "Create",
    "Delete",
    "Deleted",
    "Event",
    "Forbidden",
    "Gone",
    "Invalid",
    "InvalidId",
    "ItemDeleted",
    "ItemVersion",
    "Malformed",
    "Misfit",
    "NotFound",
    "OtherLog",
    "Page",
    "Patch",
    "PreconditionFailed",
    "PreconditionRequired",
    "ProblemError",
    "Put",
    "RateLimited",
    "Retries",
    "StoreError",
    "StoreFull",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "VersionEntry",
    "Written",
]

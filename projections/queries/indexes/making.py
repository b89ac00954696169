"""Making what the settings declare, beside the process that follows the log, in small steps.

Only that process writes, so it does this too, between its batches. A step is one transaction, with
the note of how far it went: one that is killed goes on there. Of two hosts with different settings
on one database, the one that follows decides.
"""

from __future__ import annotations

import logging

from itemstore.projections.queries.indexes import columns, texts
from itemstore.projections.queries.indexes.declared import Declared
from itemstore.projections.sql.database import Connection

logger = logging.getLogger("itemstore")


def settle(connection: Connection, collection: str, declared: Declared) -> None:
    """Lets the tables have what is declared for a collection, and nothing else.

    It is quick: what is new has nothing yet of the rows that are there. Raises SqlUnavailable.
    """
    columns.settle(connection, collection, declared.indexes)
    texts.settle(connection, collection, declared.text)


def step(connection: Connection, collection: str) -> bool:
    """Does a little of what is left to do after that. Whether there was anything.

    To make the SQL index of a column that is filled takes longer, some seconds for a million rows;
    all other steps are bounded. Raises SqlUnavailable.
    """
    return columns.step(connection, collection) or texts.step(connection, collection)

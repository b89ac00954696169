"""Building a projection again from the log, beside the live one."""

from itemstore.projections.lease import LeaseLost
from itemstore.projections.rebuild.errors import (
    LogIncomplete,
    RebuildRefused,
    RebuildRunning,
    UnknownProjection,
)
from itemstore.projections.rebuild.receipt import Findings, Receipt, last_receipt
from itemstore.projections.rebuild.run import rebuild

__all__ = [
    "Findings",
    "LeaseLost",
    "LogIncomplete",
    "RebuildRefused",
    "RebuildRunning",
    "Receipt",
    "UnknownProjection",
    "last_receipt",
    "rebuild",
]

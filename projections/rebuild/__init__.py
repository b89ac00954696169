"""Building a projection again from the log, beside the live one."""

from projections.lease import LeaseLost
from projections.rebuild.errors import (
    LogIncomplete,
    RebuildRefused,
    RebuildRunning,
    UnknownProjection,
)
from projections.rebuild.receipt import Findings, Receipt, last_receipt
from projections.rebuild.run import rebuild

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

"""Folding the log and comparing everything that is derived from it."""

from itemstore.projections.verify.run import verify
from itemstore.projections.verify.verdict import Difference, Verdict

__all__ = ["Difference", "Verdict", "verify"]

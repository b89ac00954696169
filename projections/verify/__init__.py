"""Folding the log and comparing everything that is derived from it."""

from projections.verify.run import verify
from projections.verify.verdict import Difference, Verdict

__all__ = ["Difference", "Verdict", "verify"]

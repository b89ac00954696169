"""Folding the log and comparing everything that is derived from it."""

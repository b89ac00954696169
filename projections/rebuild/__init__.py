"""Rebuilding a projection from the log, beside the live one."""

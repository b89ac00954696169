"""Building a projection again from the log, beside the live one."""

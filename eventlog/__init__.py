"""The log: the only code that writes history, and what reads and follows it."""

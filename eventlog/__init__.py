"""The log: the only code that writes history, and the engine that holds it."""

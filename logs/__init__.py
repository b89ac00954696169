"""What every line of the log has, and how lines go out. Nothing here knows of items or of HTTP."""

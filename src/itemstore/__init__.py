"""An event-sourced item store: every write is an event in a Redis stream."""

"""The SQL read model: the current items of each collection as tables, for queries."""

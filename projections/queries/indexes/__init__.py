"""What the operator declares for queries: indexes and texts, made and kept beside the items."""

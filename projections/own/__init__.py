"""What an operator's own projections that handle events are made of."""

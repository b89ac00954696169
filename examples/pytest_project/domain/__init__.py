"""The shop's own rules."""

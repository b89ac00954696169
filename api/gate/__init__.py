"""Which callers are let in: tokens, names of the host, scripts of other origins."""

"""An engine whose primary is named by Redis Sentinel: whose URL, and where it is now."""

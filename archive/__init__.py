"""The log's older part outside the engine: segments, their index, manifests, and their reader."""

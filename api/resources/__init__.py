"""The resources, one a file, and what several of them share."""

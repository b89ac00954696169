"""The pages as a site: read, put together, built and checked."""

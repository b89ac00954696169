"""The explorer: a page for people who would rather look than read. Static files, and their names.

The page is Preact with htm, in ES modules that a browser loads as they stand: nothing is built.
"""

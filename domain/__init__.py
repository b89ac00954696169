"""The rules of the item store: commands in, events out. Standard library only; nothing awaits."""

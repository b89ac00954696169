"""The Redis or Valkey that holds everything: the embedded one, connections to it, durability."""

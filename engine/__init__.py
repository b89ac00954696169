"""The Redis or Valkey that holds everything: embedded or not, how to talk to it, what it keeps."""

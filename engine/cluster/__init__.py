"""A Redis or Valkey Cluster: which node has what, as its nodes say."""

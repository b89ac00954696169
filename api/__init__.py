"""HTTP and nothing else: what clients send and get, and the application that answers them."""

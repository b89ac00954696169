"""What HTTP says of requests and answers, whatever they are about."""

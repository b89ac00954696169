"""What HTTP says about requests and answers, whatever the resource."""

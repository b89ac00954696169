"""Read models, built from the log and nothing else."""

"""dramatiq actors: what a job of the queue starts. Ten lines each; the work is in services."""

"""Holds sessions: leases, one runner per session, and the way for other processes to reach them."""

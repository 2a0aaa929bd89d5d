"""Campaigns: what may be sent to whom, when it goes on, and how it went. Pure: time and randomness are passed in."""

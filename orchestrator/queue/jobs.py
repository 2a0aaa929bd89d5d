"""The kinds of jobs: the name of each, its queue, and how often one thing's job is enqueued at most."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job: `name` is its actor's and its queue's.

    `spacing_s` is the least time between two jobs of this kind for the same thing from one process: rings that come
    closer together become one job.
    """

    name: str
    spacing_s: float


DISPATCH = JobKind("dispatch", spacing_s=0.005)
"""Arguments: company id, session id."""

WEBHOOKS = JobKind("webhooks", spacing_s=0.05)
"""Argument: company id."""

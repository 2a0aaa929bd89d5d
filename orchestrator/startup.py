"""What keeps Ponte from starting."""

from __future__ import annotations


class StartupError(Exception):
    """Ponte cannot start.

    The message is one sentence for the person at the terminal that says what to do about it; it is printed as it is,
    and the command ends with a code other than 0.
    """

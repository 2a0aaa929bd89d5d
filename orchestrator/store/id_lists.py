"""Lists of ids in statements."""

from collections.abc import Collection


def padded(values: Collection[str]) -> list[str]:
    """Make a list's length a power of two by repeating its last value, so that few different statements are prepared.

    An empty one becomes one empty string, which nothing equals.
    """
    filled = list(values) or [""]
    size = 1
    while size < len(filled):
        size *= 2
    return filled + filled[-1:] * (size - len(filled))

"""A QR code drawn with characters."""

from __future__ import annotations

import io

import segno


def draw_qr(content: str) -> str:
    """Return `content` as a QR code of half-block characters, about 35 lines for a WhatsApp code."""
    drawing = io.StringIO()
    segno.make(content, error="l", micro=False).terminal(drawing, border=2, compact=True)
    return drawing.getvalue().rstrip("\n")

"""Reads QR codes as a phone does, with a decoder that shares nothing with what drew them."""

import io
import re
from xml.etree import ElementTree

import zxingcpp
from PIL import Image

_MODULE = 4
_QUIET = 4
_SVG = "{http://www.w3.org/2000/svg}"
_LIGHT = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}
"""Half blocks of a terminal: is the upper, is the lower module light?"""


def read_png(picture: bytes) -> str:
    """The text of the one QR in a PNG."""
    return _decode(Image.open(io.BytesIO(picture)).convert("L"))


def read_svg(picture: bytes) -> str:
    """The text of the QR in an SVG whose dark modules are one stroked path of horizontal lines, 1 unit thick."""
    root = ElementTree.fromstring(picture)
    path = next(path for path in root.iter(f"{_SVG}path") if path.get("stroke"))
    x = y = 0.0
    dark: set[tuple[int, int]] = set()
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path.get("d") or ""):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "h":
            dark |= {(int(x) + step, int(y)) for step in range(int(values[0]))}
            x += values[0]
        else:
            x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])
    return _decode(_picture(dark))


def read_terminal(screen: str) -> str:
    """The text of the last QR drawn in half blocks on a dark terminal; empty while it is not whole."""
    blocks: list[list[str]] = [[]]
    for line in screen.splitlines():
        if len(line) > 20 and set(line) <= set(_LIGHT) and line.startswith("█"):
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    drawing = next((block for block in reversed(blocks) if block), [])
    dark = {
        (x, 2 * y + half)
        for y, line in enumerate(drawing)
        for x, block in enumerate(line)
        for half in (0, 1)
        if not _LIGHT[block][half]
    }
    codes = zxingcpp.read_barcodes(_picture(dark)) if dark else []
    return str(codes[0].text) if codes else ""


def _picture(dark: set[tuple[int, int]]) -> Image.Image:
    width = max(max(module) for module in dark) + 2 * _QUIET
    picture = Image.new("L", (width * _MODULE, width * _MODULE), 255)
    for x, y in dark:
        corner = ((x + _QUIET) * _MODULE, (y + _QUIET) * _MODULE)
        picture.paste(0, (*corner, corner[0] + _MODULE, corner[1] + _MODULE))
    return picture


def _decode(picture: Image.Image) -> str:
    [code] = zxingcpp.read_barcodes(picture)
    return str(code.text)

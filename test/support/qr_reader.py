"""A QR Code as a phone reads it: by a decoder that knows nothing of our encoder."""

from __future__ import annotations

from collections.abc import Sequence

import zxingcpp

MODULE = 3  # pixels


def read(modules: Sequence[str]) -> str:
    """What a reader sees in modules with their quiet zone."""
    pixels = [bytes(255 * (bit == "0") for bit in row for _ in range(MODULE)) for row in modules]
    side = len(modules) * MODULE
    image = memoryview(b"".join(row for row in pixels for _ in range(MODULE))).cast("B", (side, side))
    found = zxingcpp.read_barcodes(image)
    assert [one.format for one in found] == [zxingcpp.BarcodeFormat.QRCode]
    return str(found[0].text)

"""Counting segments as carriers do (3GPP TS 23.038), with the simulator's own copy of the alphabet."""

from __future__ import annotations

_ONE = set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤ÄÖÑÜ§¿äöñüà¡") | {chr(c) for c in range(0x20, 0x7F)} - set("`[]{}\\^~|")
_TWO = set("[]{}\\^~|€\f")


def count_segments(body: str) -> int:
    """How many segments a body takes."""
    if set(body) <= _ONE | _TWO:
        widths, alone, part = [2 if c in _TWO else 1 for c in body], 160, 153
    else:
        widths, alone, part = [len(c.encode("utf-16-le")) // 2 for c in body], 70, 67
    if sum(widths) <= alone:
        return 1
    segments, room = 1, part
    for width in widths:
        if width > room:
            segments, room = segments + 1, part
        room -= width
    return segments

"""How many segments a text takes: what carriers count, charge and pace by.

GSM-7 holds 160 characters, or 153 in each of several parts; a character of its extension table takes two. Anything else makes the whole
text UCS-2: 70, or 67 a part, counted in UTF-16 units. A pair never falls across two parts. (3GPP TS 23.038.)
"""

from __future__ import annotations

import msgspec

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM = _BASIC | _EXTENSION


class Segments(msgspec.Struct, frozen=True):
    """A text's encoding (`GSM-7` or `UCS-2`), its length in that encoding's units, and the number of its segments."""

    encoding: str
    units: int
    count: int


def count(text: str) -> Segments:
    """What the text takes on the wire."""
    if _BASIC.issuperset(text):
        return Segments("GSM-7", len(text), 1 if len(text) <= 160 else -(-len(text) // 153))
    if _GSM.issuperset(text):
        sizes = [2 if character in _EXTENSION else 1 for character in text]
        return Segments("GSM-7", sum(sizes), _parts(sizes, 160, 153))
    sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return Segments("UCS-2", sum(sizes), _parts(sizes, 70, 67))


def left(text: str) -> int:
    """How many more plain characters fit before the text takes another segment."""
    fit, more = 0, 161
    taken = count(text).count
    while more - fit > 1:
        middle = (fit + more) // 2
        fit, more = (middle, more) if count(text + "a" * middle).count == taken else (fit, middle)
    return fit


def odd_characters(text: str) -> list[str]:
    """The characters that GSM-7 does not have, each once, in the order of the text: any one of them makes the whole text UCS-2."""
    return [character for character in dict.fromkeys(text) if character not in _GSM]


def _parts(sizes: list[int], alone: int, each: int) -> int:
    if sum(sizes) <= alone:
        return 1
    parts, used = 1, 0
    for size in sizes:
        if used + size > each:
            parts, used = parts + 1, 0
        used += size
    return parts

"""Segments are counted as carriers do, at the edges (GSM 03.38; wild bug 17)."""

import pytest

from oncue.adaptors.twilio.segments import count

FAMILY = "👨‍👩‍👧‍👦"  # 11 UTF-16 units


@pytest.mark.parametrize(
    ("body", "encoding", "segments"),
    [
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        *[("a" * 158 + one, "GSM-7", 1) for one in "€[]{}~^|\\"],
        *[("a" * 159 + one, "GSM-7", 2) for one in "€[]{}~^|\\"],
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),  # the pair does not part: 152, then 2 + 151, then 1
        ("a" * 304 + "€", "GSM-7", 2),
        ("a" * 305 + "€", "GSM-7", 3),
        ("Ç" * 160, "GSM-7", 1),
        ("ç" * 70, "UCS-2", 1),
        ("ç" * 71, "UCS-2", 2),
        ("`" * 70, "UCS-2", 1),
        ("`" * 71, "UCS-2", 2),
        ("ç" * 134, "UCS-2", 2),
        ("ç" * 135, "UCS-2", 3),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2),
        ("😀" * 66, "UCS-2", 2),
        ("😀" * 67, "UCS-2", 3),  # 33 a part: a pair is not cut
        (FAMILY * 6, "UCS-2", 1),
        (FAMILY * 6 + "aaaaa", "UCS-2", 2),
    ],
)
def test_as_carriers_count(body, encoding, segments):
    counted = count(body)
    assert (counted.encoding, getattr(counted, "count", None) or counted.segments) == (encoding, segments)

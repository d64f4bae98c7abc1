"""The one clock, and times as text."""

import pytest

from oncue.core import clock


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01", 0),
        ("2026-11-23T17:00:00.123Z", 1_795_453_200_123),
        ("2026-11-23T17:00:00", 1_795_453_200_000),
    ],
)
def test_iso_times_are_read_as_utc_unless_they_say_otherwise(text: str, at: int):
    assert clock.parse_iso(text) == at


def test_a_time_goes_to_text_and_back():
    assert clock.parse_iso(clock.iso(1_795_453_200_123)) == 1_795_453_200_123


def test_tests_turn_both_clocks():
    wall, steady = clock.now(), clock.elapsed()
    clock.turn(clock.HOUR)
    try:
        assert clock.now() - wall >= clock.HOUR
        assert clock.elapsed() - steady >= 3600
    finally:
        clock.turn(-clock.HOUR)

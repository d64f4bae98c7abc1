"""A full disk, a clock that jumps, a process that is stopped, and more: in short what `make crash` does at length, counted by the carrier."""

import pytest

from crash_scenarios import SCENARIOS, play


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_befalls_it_while_it_runs_nothing_is_twice_and_nothing_is_lost(name, carrier, tmp_path):
    """Events are refused quickly or kept, `/readyz` says why, and the same process goes on by itself afterwards."""
    result = play(name, tmp_path, carrier, SCENARIOS[name][1])
    assert result.tally.is_good and result.tally.accepted, result.row()
    assert bool(result.said) == (name.startswith(("disk", "database"))), result.row()

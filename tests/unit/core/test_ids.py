"""Ids: time first, derived ones always the same."""

from oncue.core import clock, ids


def test_ids_sort_by_the_time_they_were_made():
    first = ids.new()
    clock.turn(5)
    try:
        assert first < ids.new()
    finally:
        clock.turn(-5)


def test_a_derived_id_is_a_function_of_its_parent_and_names():
    parent = ids.new()
    assert ids.derived(parent, "rule", "0") == ids.derived(parent, "rule", "0")
    assert ids.derived(parent, "rule", "0") != ids.derived(parent, "rule", "1")
    assert ids.derived(parent, "ab", "c") != ids.derived(parent, "a", "bc")
    assert ids.derived(parent, "x")[:12] == parent[:12]
    assert ids.is_id(ids.derived(parent, "x")) and ids.is_id(parent)


def test_what_is_not_an_id():
    assert not ids.is_id("") and not ids.is_id("A" * 32) and not ids.is_id("a" * 31)

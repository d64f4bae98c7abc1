"""Who has to wait before they may try a password again, and who does not have to for what others did."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from inside import turn
from oncue.store import throttle

ANN = "ann@example.com"
HERE, THERE = "81.2.69.142", "81.2.69.143"


@pytest.fixture(autouse=True)
def _within_a_transaction(inside):
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    connection.close()


def fail(times: int, address: str = HERE, browser: str = "", email: str = ANN) -> None:
    for _ in range(times):
        throttle.failed(email, address, browser)


def test_a_stranger_keeps_waiting_only_where_they_are():
    fail(5)
    assert throttle.wait_for(ANN, HERE) == 30
    assert throttle.wait_for(ANN, THERE) == 0


def test_a_known_browser_waits_for_nothing_that_strangers_did():
    fail(200)
    assert throttle.wait_for(ANN, HERE) > 0 and throttle.wait_for(ANN, THERE) > 0
    assert throttle.wait_for(ANN, HERE, "laptop") == 0


def test_a_known_browser_is_held_to_its_own_failures_and_strangers_are_not():
    fail(6, browser="laptop")
    assert throttle.wait_for(ANN, HERE, "laptop") == 60
    assert throttle.wait_for(ANN, HERE, "phone") == throttle.wait_for(ANN, HERE) == 0


def test_from_many_places_one_address_is_tried_fifty_times_and_then_at_the_pace_of_one():
    for number in range(49):
        throttle.failed(ANN, f"81.2.70.{number}")
    assert throttle.wait_for(ANN, THERE) == 0
    throttle.failed(ANN, "81.2.70.200")
    assert throttle.wait_for(ANN, THERE) == 30
    waits = []
    for number in range(8):
        turn(throttle.wait_for(ANN, THERE))
        throttle.failed(ANN, f"81.2.71.{number}")
        waits.append(throttle.wait_for(ANN, THERE))
    assert waits == [60, 120, 240, 480, 900, 900, 900, 900]
    assert throttle.wait_for("bob@example.com", THERE) == 0


def test_signing_in_on_a_known_browser_does_not_give_strangers_their_guesses_back():
    fail(5)
    fail(5, browser="laptop")
    throttle.succeeded(ANN, THERE, "laptop")
    assert throttle.wait_for(ANN, THERE, "laptop") == 0
    assert throttle.wait_for(ANN, HERE) == 30


def test_whatever_is_given_as_an_address_fits_its_column():
    fail(1, address="2a00:1450:4009:ffff:1:2:3:4", email="x" * 5_000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT MAX(LENGTH(key)) FROM store_throttle")
        assert cursor.fetchone()[0] <= 300

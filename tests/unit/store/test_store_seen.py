"""What was taken in before is recognised by a digest of where its id came from and what it is."""

from __future__ import annotations

from inside import Inside, turn
from oncue.core import clock
from oncue.core.adaptor import Reply
from oncue.store.jobs import Reports
from oncue.store.seen import KEPT_FOR_DAYS, digest_before, forget, seen_digest

BOOKED = {"type": "event", "user": "ann", "name": "booked", "id": "b-17", "user_properties": {"phone_number": "+16175551212"}}  # fmt: skip
STOP = Reply(
    provider_id="SM17", address="+16175551212", sender="+15005550006", scopes=(), body="Hm", consent="", properties={}
)


def test_ids_that_count_up_stand_together():
    """Each in a place of its own would change a page of its own."""
    digests = [seen_digest("shop", f"booking-{number}") for number in range(1_000, 2_000)]
    assert len(set(digests)) == 1_000
    assert len({one[:8] for one in digests}) == 10


def test_no_two_ids_have_one_digest():
    said = [("shop", ""), ("shop", "1"), ("shop", "11"), ("shop", "é"), ("shop", "😀"), ("sho", "p1"), ("another", "1")]
    digests = [seen_digest(*one) for one in said]
    assert {len(one) for one in digests} == {30}
    assert len({one[8:] for one in digests}) == len(said)  # of the first eight characters many ids have the same


def test_what_an_earlier_oncue_took_in_is_not_taken_in_again(inside: Inside):
    first = inside.take(BOOKED)
    inside.do(Reports("twilio", [STOP]))
    as_before(inside, [(key, "b-17") for (key,) in inside.rows("SELECT id FROM store_apikey")] + [("twilio", "SM17")])
    inside.close()
    inside.open()
    again = inside.post(BOOKED).json()
    inside.do(Reports("twilio", [STOP]))
    assert (again["duplicates"], again["ids"]) == (1, first)
    assert inside.take({**BOOKED, "id": "b-18"}) != first
    assert inside.events().count("booked") == 2 and inside.events().count("twilio.received") == 1


def test_once_all_of_that_is_forgotten_nobody_looks_for_it(inside: Inside):
    first = inside.take(BOOKED)
    as_before(inside, [(key, "b-17") for (key,) in inside.rows("SELECT id FROM store_apikey")])
    inside.close()
    inside.open()
    assert inside.take(BOOKED) == first and inside.writer._has_seen_before
    turn((KEPT_FOR_DAYS + 2) * 86_400)
    inside.take({**BOOKED, "id": "b-18"})
    inside.close()
    assert forget(clock.now() // clock.DAY) == 1
    inside.open()
    inside.take({**BOOKED, "id": "b-19"})
    assert not inside.writer._has_seen_before


def as_before(inside: Inside, ids: list[tuple[str, str]]) -> None:
    """The digests of these ids are such as an earlier oncue kept."""
    for one in ids:
        inside.execute("UPDATE store_seen SET digest = ? WHERE digest = ?", digest_before(*one), seen_digest(*one))
        assert inside.rows("SELECT 1 FROM store_seen WHERE digest = ?", digest_before(*one))

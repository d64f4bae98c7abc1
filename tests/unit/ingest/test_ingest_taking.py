"""Taking in: ids in order, repeats recognised, events considered with their user as they were; never a 2xx for what is not on disk."""

import asyncio
import base64
import gzip
import hashlib
import hmac
from urllib.parse import urlencode

import pytest

from inside import ACCOUNT, CANARY, KEY, KEYS, URL, Answer, full_disk, locked, request, turn
from oncue.core import clock, ids
from oncue.ingest import hearing
from oncue.store.jobs import Edit
from oncue.store.seen import forget

ANN = {"phone_number": "+15005551001"}


def event(**more) -> dict:
    return {"type": "event", "user": "u", "name": "clicked", **more}


def test_ids_come_back_in_order_and_name_the_events(inside):
    answer = inside.post({"items": [event(name=f"n{n}") for n in range(5)]}).json()
    assert answer["accepted"] == 5 and all(ids.is_id(one) for one in answer["ids"])
    assert inside.rows("SELECT id, name FROM store_event ORDER BY seq") == [
        (one, f"n{n}") for n, one in enumerate(answer["ids"])
    ]


def test_a_repeat_is_counted_and_gives_the_first_id(inside):
    first = inside.post(event(id="e1", properties={"n": 1})).json()
    again = inside.post(event(id="e1", properties={"n": 2})).json()
    assert again == {"accepted": 0, "duplicates": 1, "rejected": [], "ids": first["ids"]}
    assert inside.rows("SELECT properties FROM store_event") == [('{"n":1}',)]


def test_a_repeat_within_one_batch_is_recognised_too(inside):
    answer = inside.post({"items": [event(id="e1"), event(id="e2"), {}, event(id="e1"), event(), event()]}).json()
    assert (answer["accepted"], answer["duplicates"], len(answer["rejected"])) == (4, 1, 1)
    one, two, none, again, *fresh = answer["ids"]
    assert again == one != two and none is None and len({one, two, *fresh}) == 4


def test_repeats_in_calls_at_the_same_time_are_one_event(inside):
    async def post():
        return await inside.calling("POST", "/v1/events", b'{"user": "u", "name": "n", "id": "e1"}')

    answers = [answer.json() for answer in inside.gather(post() for _ in range(20))]
    assert sorted(one["duplicates"] for one in answers) == [0] + [1] * 19
    assert len({one["ids"][0] for one in answers}) == 1 and inside.events() == ["n"]


def test_a_repeat_changes_no_user_and_sends_nothing(inside):
    for _ in range(3):
        inside.post(event(id="e1", name="booked", user_properties=ANN))
    inside.post(event(id="e1", name="booked", user_properties={"phone_number": "+15005551002"}))
    assert inside.user("u") == ANN
    assert len(inside.messages()) == 1 and len(inside.claimed) == 1


def test_an_id_of_another_key_is_another_id(inside):
    other = "another-key-0123456789abc"
    inside.apply(KEYS.replace("]", f", {{name: other, key: {other}}}]"))
    inside.run(inside.writer.probe(5))
    assert [inside.post(event(id="e1"), key=key).json()["duplicates"] for key in (KEY, other)] == [0, 0]


def test_an_id_is_recognised_for_longer_than_the_oldest_timestamp_and_then_forgotten(inside):
    inside.event("u", "n", id="e1")
    for days, duplicates in ((31, 1), (4, 1), (1, 0)):
        turn(days * 86_400)
        inside.do(Edit(lambda: forget(clock.now() // clock.DAY)))
        assert inside.post(event(id="e1")).json()["duplicates"] == duplicates, days


def test_items_of_a_batch_are_taken_in_order(inside):
    inside.take(
        event(name="booked", properties={"n": 1}, user="ann"),  # nobody knows her number yet
        {"type": "user", "user": "ann", "properties": {"phone_number": "+15005551001"}},
        event(name="booked", properties={"n": 2}, user="ann"),
        {"type": "user", "user": "ann", "properties": {"phone_number": "+15005551002"}},
        event(name="booked", properties={"n": 3}, user="ann"),
        event(name="booked", properties={"n": 4}, user="ann", user_properties={"phone_number": "+15005551003"}),
        {"type": "user", "user": "ann", "properties": {"phone_number": None}},
    )
    sent = inside.rows("SELECT recipient FROM store_message WHERE state = 'submitting' ORDER BY seq")
    assert [one for (one,) in sent] == ["+15005551001", "+15005551002", "+15005551003"]
    assert inside.user("ann") == {}


def test_who_and_what_may_arrive_together(inside):
    inside.event("ann", "booked", user_properties=ANN)
    assert inside.user("ann") == ANN
    assert [one.recipient for one in inside.claimed] == [ANN["phone_number"]]


def test_a_user_item_merges_and_null_removes(inside):
    inside.take({"type": "user", "user": "u", "properties": {"a": 1, "b": {"c": 1}, "d": 1}})
    inside.take({"type": "user", "user": "u", "properties": {"b": {"e": 2}, "d": None, "f": [None]}})
    assert inside.user("u") == {"a": 1, "b": {"e": 2}, "f": [None]}


@pytest.mark.parametrize("shut", [locked, lambda one: full_disk()], ids=["locked", "full"])
def test_what_is_not_on_disk_is_never_answered_2xx(impatient, shut):
    impatient.event("u", "before")
    with shut(impatient):
        answer = impatient.post({"items": [event(id="e1"), event(id="e2"), {}]})
        assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1
        assert "nothing of this request was kept" in answer.sentence
    assert impatient.events() == ["before"]
    impatient.recovers()
    # And it goes on by itself when the store can commit again: the same request is taken in, not recognised as a repeat.
    again = impatient.post({"items": [event(id="e1"), event(id="e2")]})
    assert (again.status, again.json()["accepted"]) == (202, 2)


def test_readiness_says_when_the_store_cannot_commit_and_liveness_does_not_mind(impatient):
    with locked(impatient):
        ready = impatient.call("GET", "/readyz")
        assert ready.status == 503 and "cannot commit" in ready.json()["problem"]
        assert impatient.call("GET", "/healthz").status == 200
    impatient.recovers()
    assert impatient.call("GET", "/readyz").status == 200


def test_a_hook_is_not_answered_2xx_either(impatient):
    fields = {"AccountSid": ACCOUNT, "MessageSid": "SM" + "0" * 32, "MessageStatus": "sent", "To": "+1", "From": "+2"}
    path = "/hooks/twilio/status/" + "0" * 32
    signed = URL + path + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.new(CANARY.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    given = {"x_twilio_signature": signature, "content_type": "application/x-www-form-urlencoded"}
    body = urlencode(fields).encode()
    with locked(impatient):
        assert impatient.call("POST", path, body, **given).status == 503
    impatient.recovers()
    assert impatient.call("POST", path, body, **given).status == 200
    assert impatient.call("POST", path, body + b"&x=y", **given).status == 403


def test_more_than_can_be_taken_in_is_503_with_a_time_to_come_back(inside):
    batch = b'{"items": [' + b",".join([b'{"user": "u", "name": "n"}'] * 1_000) + b"]}"
    with locked(inside):
        works = [inside.calling("POST", "/v1/events", batch) for _ in range(25)]

        async def first() -> tuple[set[asyncio.Task], set[asyncio.Task]]:
            return await asyncio.wait(
                [asyncio.ensure_future(one) for one in works], return_when=asyncio.FIRST_COMPLETED
            )

        done, waiting = inside.run(first())
        refused = [task.result() for task in done]
        assert refused and all(answer.status == 503 for answer in refused)
        assert refused[0].headers["retry-after"] == "1" and "try again" in refused[0].sentence
    assert all(answer.status in (202, 503) for answer in inside.gather(waiting))
    taken = sum(1 for task in [*done, *waiting] if task.result().status == 202)
    assert taken >= 10 and len(inside.events()) == taken * 1_000


def test_bodies_in_memory_are_bounded_packed_or_not_and_those_that_are_done_make_room(inside, monkeypatch):
    monkeypatch.setattr(hearing, "MOST_BYTES", 3_000)
    body = b'{"user": "u", "name": "n", "properties": {"a": "' + b"x" * 1_900 + b'"}}'
    packed = gzip.compress(body)
    given = {b"authorization": b"Bearer " + KEY.encode()}

    async def ask(pieces: list, **more: bytes) -> Answer:
        headers = {**given, **{name.replace("_", "-").encode(): value for name, value in more.items()}}
        return await request(inside.app, "POST", "/v1/events", pieces, headers)

    async def asked() -> list[int]:
        slow = asyncio.ensure_future(ask([body, ...]))  # it goes on sending
        await asyncio.sleep(0)
        full = [await ask([body]), await ask([packed], content_encoding=b"gzip")]
        assert all(one.headers["retry-after"] == "1" and "try again" in one.sentence for one in full)
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        return [one.status for one in (*full, await ask([body]), await ask([packed], content_encoding=b"gzip"))]

    assert inside.run(asked()) == [503, 503, 202, 202]

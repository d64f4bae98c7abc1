"""Segment's format, and RudderStack's: bodies as their SDKs send them, with their quirks."""

import asyncio
import base64
import gzip
import json

import msgspec
import pytest

from inside import RULE, SDK_KEYS, TWILIO, WRITE_KEY, full_disk
from oncue.core import clock
from oncue.ingest import sdk
from oncue.store import intake, keys
from oncue.store.jobs import Edit, Probe

BASIC = f"Basic {base64.b64encode(f'{WRITE_KEY}:'.encode()).decode()}"
OK = b'{"success":true}'
ANN = {"phone_number": "+15005551001"}


@pytest.fixture
def site(inside):
    """An oncue with a key of each source and one rule."""
    inside.apply(SDK_KEYS + TWILIO + "rules:" + RULE)
    inside.do(Probe())  # reads it
    return inside


def post(inside, body, path="/v1/batch", authorization=BASIC, **headers):
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return inside.call("POST", path, raw, authorization=authorization, **headers)


def batch(inside, *messages, **more):
    answer = post(inside, {"batch": messages, **more})
    assert answer.status == 200, answer.body
    return answer.json()


def track(**more):
    return {"type": "track", "userId": "ann", "event": "booked", **more}


def stored(inside, columns="user_id, name, properties"):
    return inside.rows(f"SELECT {columns} FROM store_event WHERE depth = 0 ORDER BY seq")


PYTHON = (
    b'{"batch":[{"integrations":{},"anonymousId":null,"properties":{"hotel":"Ritz","nights":3},"timestamp":"%s",'
    b'"context":{"library":{"name":"analytics-python","version":"2.4.0"}},"userId":"user_1","type":"track","event":"Booking Confirmed",'
    b'"messageId":"fc212e9f-137c-43a8-8917-7a620879e111"}],"sentAt":"%s","writeKey":"seg_write_key"}'
)


def test_a_batch_as_segments_python_sdk_sends_it(site):
    now = clock.iso(clock.now() - 5_000).encode()
    answer = post(site, PYTHON % (now, now))
    assert (answer.status, answer.body) == (200, OK)
    assert stored(site, "user_id, name, properties, timestamp, source") == [
        ("user_1", "Booking Confirmed", '{"hotel":"Ritz","nights":3}', clock.parse_iso(now.decode()), "site")
    ]
    assert post(site, PYTHON % (now, now)).body == OK  # sent again, as after an answer that was lost
    assert len(stored(site)) == 1


@pytest.mark.parametrize(
    ("headers", "more"),
    [
        ({"authorization": BASIC}, {}),
        ({"authorization": BASIC.replace("Basic", "basic")}, {}),
        ({"authorization": f"Bearer {WRITE_KEY}"}, {}),
        ({"authorization": ""}, {"writeKey": WRITE_KEY}),
        ({"authorization": BASIC, "content_type": "application/x-www-form-urlencoded"}, {}),  # rudder-sdk-node
        ({"authorization": BASIC, "content_type": "text/plain"}, {}),  # the browser's
    ],
)
def test_a_write_key_in_any_of_its_places_and_json_whatever_it_is_called(site, headers, more):
    assert post(site, {"batch": [track()], **more}, **headers).body == OK
    assert len(stored(site)) == 1


def test_gzip_as_rudderstacks_sdks_send_it(site):
    raw = gzip.compress(msgspec.json.encode({"batch": [track(messageId="1")], "sentAt": None}))
    assert post(site, raw, content_encoding="gzip").body == OK
    assert len(stored(site)) == 1


@pytest.mark.parametrize(
    ("authorization", "body", "status"),
    [
        ("", {"batch": []}, 401),
        ("", {"batch": [], "writeKey": "nobody's"}, 401),
        ("", {"batch": [], "writeKey": 7}, 401),
        ("Basic %%%", {"batch": []}, 401),
        ("Basic " + base64.b64encode(b"web_sdk-testkey:").decode(), {"batch": []}, 401),
        ("Bearer test-key-0123456789abcdef", {"batch": []}, 401),
        (BASIC, b"", 400),
        (BASIC, b"[]", 400),
        (BASIC, b'{"batch": 1}', 400),
        (BASIC, b"{" * 100_000, 400),
        (BASIC, b" " * (500 * 1024 + 1), 413),
    ],
)
def test_an_error_carries_code_and_message(site, authorization, body, status):
    answer = post(site, body, authorization=authorization)
    assert answer.status == status and answer.json().keys() == {"code", "message"}
    assert answer.json()["code"] == str(status) and len(answer.json()["message"]) > 10


def test_the_keys_of_sdks_open_no_other_door(site):
    for key in (WRITE_KEY, "web_sdk-testkey"):
        answer = site.post({"type": "event", "user": "u", "name": "n"}, key=key)
        assert answer.status == 403 and "oncue key create" in answer.sentence


def test_one_bad_message_never_sinks_the_rest(site):
    answer = batch(
        site, track(), 7, {"type": "other"}, track(userId=None), track(event=None), track(event="twilio.sent"), track(properties=[1]),
        track(properties={"n": 2**70}), track(properties={"long": "x" * 33_000}), track(timestamp="2001-01-01"), track(event="last"),
    )  # fmt: skip
    assert answer["success"] is True
    assert [one["index"] for one in answer["rejected"]] == list(range(1, 10))
    assert all(one["message"].endswith(".") for one in answer["rejected"])
    assert [name for _, name, _ in stored(site)] == ["booked", "last"]
    assert 'verdict="rejected"} 9' in site.call("GET", "/metrics").body.decode()


def test_a_number_that_is_none_is_the_fault_of_one_message(site):
    raw = msgspec.json.encode({"batch": [track(event="a"), track(event="b", properties={"n": 0.5})]}).replace(
        b"0.5", b"NaN"
    )
    assert [one["index"] for one in post(site, raw).json()["rejected"]] == [1]
    assert [name for _, name, _ in stored(site)] == ["a"]


@pytest.mark.parametrize("kind", ["track", "t"])
def test_a_single_call(site, kind):
    assert post(site, {"userId": 42, "event": "booked", "properties": {"$n": 1}}, f"/v1/{kind}").body == OK
    assert stored(site) == [("42", "booked", '{"n":1}')]
    answer = post(site, {"userId": 42}, f"/v1/{kind}")
    assert (answer.status, answer.json()) == (400, {"code": "400", "message": "The event has no name."})


@pytest.mark.parametrize(
    ("times", "nth"),
    [
        ({"timestamp": 1, "originalTimestamp": 2, "sentAt": 3}, 1),
        ({"originalTimestamp": 2, "sentAt": 3}, 2),
        ({"timestamp": None, "originalTimestamp": "rubbish", "sentAt": 3}, 3),
        ({}, 4),
    ],
)
def test_times_are_believed_in_the_documented_order(site, times, nth):
    now = clock.now()
    given = {name: clock.iso(now - n * 60_000) if isinstance(n, int) else n for name, n in times.items()}
    batch(site, track(**given), sentAt=clock.iso(now - 4 * 60_000))
    ((at,),) = stored(site, "timestamp")
    assert abs(at - (now - nth * 60_000)) < 1_000


def test_a_clock_far_ahead_is_not_believed(site):
    batch(site, track(timestamp="2099-01-01T00:00:00Z"))
    assert abs(stored(site, "timestamp")[0][0] - clock.now()) < 5_000


@pytest.mark.parametrize(
    ("traits", "context", "kept"),
    [
        ({"a": 1}, {"traits": {"a": 2, "b": 3}}, {"a": 1, "b": 3}),
        (None, {"traits": {"b": 3}}, {"b": 3}),  # rudder-sdk-python
        ({"a": 1}, None, {"a": 1}),
        ({"phone": "+15005551001"}, {}, {"phone": "+15005551001", "phone_number": "+15005551001"}),
        (
            {"phone": "+15005551001", "phone_number": "+15005551002"},
            {},
            {"phone": "+15005551001", "phone_number": "+15005551002"},
        ),
        ({"a": 1}, {"timezone": "Europe/Dublin"}, {"a": 1, "timezone": "Europe/Dublin"}),
    ],
)
def test_traits_in_either_place_become_the_users_properties(site, traits, context, kept):
    batch(site, {"type": "identify", "userId": "ann", "traits": traits, "context": context, "messageId": "m1"})
    assert site.user("ann") == kept
    batch(
        site, {"type": "identify", "userId": "ann", "traits": {"a": 99}, "messageId": "m1"}
    )  # a repeat changes nothing
    assert site.user("ann") == kept


def test_traits_beside_a_track_arrive_before_its_rule(site):
    batch(site, track(context={"traits": ANN}))
    assert [state for _, state, _ in site.messages()] == ["submitting"]


def test_pages_screens_and_groups_are_events(site):
    batch(
        site,
        {"type": "page", "userId": "ann", "name": "Home", "category": "Docs", "properties": {"url": "/"}},
        {"type": "screen", "userId": "ann", "name": "Home", "properties": {"name": "Own"}},
        {"type": "group", "userId": "ann", "groupId": "g1", "traits": {"size": 3}},
    )
    assert stored(site) == [
        ("ann", "segment.page", '{"name":"Home","category":"Docs","url":"/"}'),
        ("ann", "segment.screen", '{"name":"Own"}'),
        ("ann", "segment.group", '{"size":3,"group_id":"g1"}'),
    ]


def test_the_browsers_sdk_is_told_where_to_send_to_and_may(site):
    answer = site.call("GET", f"/v1/projects/{WRITE_KEY}/settings", origin="https://shop.example.com")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["integrations"]["Segment.io"] == {
        "apiKey": WRITE_KEY, "apiHost": "oncue.example.com/v1", "protocol": "https",
    }  # fmt: skip
    assert site.call("GET", "/v1/projects/nobody/settings").status == 404
    asked = site.call("OPTIONS", "/v1/t", origin="https://shop.example.com", access_control_request_method="POST")
    assert asked.status == 204 and "Content-Type" in asked.headers["access-control-allow-headers"]


def test_a_store_that_cannot_commit_is_503_and_what_was_sent_comes_again(site):
    with full_disk():
        answer = batch_answer = post(site, {"batch": [track(messageId="1")]})
        assert answer.status == 503 and answer.headers["retry-after"] and batch_answer.json()["code"] == "503"
    site.recovers()
    batch(site, track(messageId="1"))
    assert len(stored(site)) == 1


def test_no_more_than_a_hundred_refusals_are_listed_and_a_batch_has_an_end(site):
    answer = post(site, {"batch": [1] * 5_000})
    assert answer.status == 200 and len(answer.json()["rejected"]) == 100 and len(answer.body) < 10_000
    assert post(site, {"batch": [1] * 5_001}).status == 413


def test_one_request_keeps_a_key_out_for_no_longer_than_a_thousand_items_do(site):
    site.apply(SDK_KEYS.replace("source: segment", "source: segment, per_second: 10"))
    site.do(Probe())
    assert post(site, {"batch": [1] * 5_000}).status == 200
    refused = post(site, {"batch": [track()]})
    assert refused.status == 429 and int(refused.headers["retry-after"]) <= 100


@pytest.mark.parametrize("key", ["\\ud800", "ä", "x" * 5_000])
def test_a_key_that_is_none_is_401_whatever_it_is(site, key):
    assert post(site, f'{{"writeKey": "{key}", "batch": []}}'.encode(), authorization="").status == 401


@pytest.mark.parametrize("own", [7, "7", "x" * 5_000, "\ud800"])
def test_whatever_a_message_is_known_by_is_known_again(site, own):
    body = json.dumps({"batch": [track(messageId=own)]}).encode()
    assert [post(site, body).status, post(site, body).status] == [200, 200]
    assert len(stored(site)) == 1


@pytest.mark.parametrize(("category", "is_refused"), [("Promotional", True), (None, True), ("promotional", False)])
def test_what_is_agreed_to_must_be_named(site, category, is_refused):
    answer = batch(site, track(event="oncue.opted_in", properties={"category": category}))
    assert ("rejected" in answer) == is_refused
    assert bool(site.rows("SELECT 1 FROM store_consent")) != is_refused


@pytest.mark.parametrize(
    ("given", "kept"), [({"$a": 1, "a": 2}, {"a": 2, "_a": 1}), ({"$": 1}, {"_": 1}), ({"$$a": 1}, {"a": 1})]
)
def test_no_name_hides_another(site, given, kept):
    batch(site, track(properties=given))
    assert [json.loads(text) for _, _, text in stored(site)] == [kept]


@pytest.mark.parametrize(
    "at",
    [lambda now: now // 1000, lambda now: str(now), lambda now: now / 1000, lambda now: clock.iso(now)],
    ids=["seconds", "text", "float", "iso"],
)
def test_a_time_in_any_form(site, at):
    now = clock.now() - 60_000
    batch(site, track(timestamp=at(now)), sentAt="20261128")
    assert abs(stored(site, "timestamp")[0][0] - now) < 2_000


@pytest.mark.faults
def test_a_fault_of_ours_is_none_of_theirs(site, monkeypatch):
    def broken(*_):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(intake, "take", broken)
    assert post(site, track(), "/v1/track").status == 500
    assert batch(site, track())["rejected"][0]["index"] == 0


def test_a_key_that_becomes_an_sdks_may_send_events_and_nothing_else(site):
    with pytest.raises(keys.Taken, match="has the value of another"):
        site.apply(SDK_KEYS.replace("name: site", "name: another"))
    site.do(Edit(lambda: keys.create("ops", 0, ["admin"])))
    site.apply("api_keys: [{name: ops, key: public_write_key, source: segment}]")
    assert site.rows("SELECT scopes, source FROM store_apikey WHERE name = 'ops'") == [("events", "segment")]


def test_others_have_their_turn_while_a_large_batch_is_read():
    async def turns():
        read, ticks = asyncio.ensure_future(sdk.in_turns([] for _ in range(5_000))), 0
        while not read.done():
            await asyncio.sleep(0)
            ticks += 1
        return len(await read), ticks

    count, ticks = asyncio.run(turns())
    assert count == 5_000 and ticks >= 25

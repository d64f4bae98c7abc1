"""Swrve's batches: bodies as its Web, Android and iOS SDKs send them, with their quirks."""

import hashlib
import json

import msgspec
import pytest
from swrving import USER, body, item, post, send, stored, token

from oncue.core import clock


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"version": 2},
        {"version": "2"},
        {"version": "3"},  # Android
        {"session_token": token(at="0")},
    ],
)
def test_a_batch_in_any_version(phone, shape):
    send(phone, item("event", 3, name="clicked", payload={"hotel": "Ritz", "nights": 3}), **shape)
    assert stored(phone, "user_id, name, properties, source") == [
        (USER, "clicked", '{"hotel":"Ritz","nights":3}', "phone")
    ]


def test_the_token_captured_from_the_real_web_sdk_is_ours_too():
    """Reference, 3.7: user, seconds and key in that order."""
    assert token("u", at="1") == f"4567=u=1={hashlib.md5(b'u1web_sdk-testkey').hexdigest()}"
    made = token("07bc3700-1467-4c79-a643-9e432e04a200")
    assert made == "4567=07bc3700-1467-4c79-a643-9e432e04a200=1795415725=c906785569795c710a2fc01a63c26570"


@pytest.mark.parametrize("user", ["plain", "a=b", "=", "x=1=y", "ä"])
def test_a_user_may_hold_an_equals_sign(phone, user):
    send(phone, item("event", name="clicked"), user=user)
    assert stored(phone, "user_id") == [(user,)]


@pytest.mark.parametrize(
    "wrong",
    [
        token(key="another"),
        token(user="somebody else"),
        token(app=1),
        token(app="x"),
        token().replace(USER, "somebody else", 1),  # of whom it says it is, though it was made for the other
        token()[:-1],
        token() + "0",
        "", "=", "===", "4567", None, 7, ["x"], "4567=\x00=1=2", f"٤٥٦٧={USER}=1=2",
    ],
)  # fmt: skip
def test_a_token_that_is_not_the_users_is_403_in_swrves_form(phone, wrong):
    answer = post(phone, body(item("event", name="clicked"), session_token=wrong))
    assert answer.status == 403 and answer.json().keys() == {"code", "message"} and answer.json()["code"] == "403"
    assert stored(phone) == []


CASES = [
    (item("session_start"), "Swrve.session.start", {}),
    (item("session_end"), "Swrve.session.end", {}),
    (item("event", name="level.start", payload={"a": 1}), "level.start", {"a": 1}),
    (item("event", name="Swrve.first_session"), "Swrve.first_session", {}),
    (item("event", name="x", payload={}), "x", {}),
    (item("event", name="x", payload=None), "x", {}),
    (item("user", attributes={"vip": True}), "Swrve.user_properties_changed", {"vip": True}),
    (
        item("purchase", item="sword", cost=5, quantity=1, currency="gold"),
        "Swrve.user_purchase",
        {"item": "sword", "cost": 5, "quantity": 1, "currency": "gold"},
    ),
    (
        item(
            "iap", quantity=1, product_id="p", app_store="google", cost=4.99, local_currency="EUR",
            rewards={"gold": {"type": "currency", "amount": 100}}, receipt="long", receipt_signature="s",
        ),
        "Swrve.iap",
        {
            "quantity": 1, "product_id": "p", "app_store": "google", "cost": 4.99, "local_currency": "EUR",
            "rewards": {"gold": {"type": "currency", "amount": 100}},
        },
    ),
    (item("currency_given", given_amount=5, given_currency="gold"), "Swrve.currency_given", {"given_amount": 5, "given_currency": "gold"}),
    (
        item("buy_in", cost=5, local_currency="EUR", payment_provider="p", reward_amount=1, reward_currency="g"),
        "Swrve.buy_in",
        {"cost": 5, "local_currency": "EUR", "payment_provider": "p", "reward_amount": 1, "reward_currency": "g"},
    ),
    (
        item("generic_campaign_event", id=9, campaignType="push", actionType="engaged", payload={"k": "v"}),
        "Swrve.Messages.Push-9.engaged",
        {"k": "v", "id": 9, "campaignType": "push", "actionType": "engaged"},
    ),
    (
        item("generic_campaign_event", id=1, campaignId="7", campaignType="iam", actionType="button_click"),
        "Swrve.Messages.Message-7.click",
        {"id": 1, "campaignId": "7", "campaignType": "iam", "actionType": "button_click"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("given", "name", "properties"), CASES, ids=[case[1] for case in CASES])
def test_every_type_is_an_event_with_swrves_own_name(phone, given, name, properties):
    send(phone, given)
    assert [(one, json.loads(text)) for one, text in stored(phone)] == [(name, properties)]


def test_who_the_user_is_and_what_their_device_is_become_properties(phone):
    send(
        phone,
        item("user", 1, attributes={"phone_number": "+15005551001", "vip": True, "$x": 1}),
        item(
            "device_update",
            2,
            attributes={"swrve.os": "web", "swrve.timezone_name": "Europe/Dublin"},
            user_initiated="false",
        ),
    )
    assert phone.user(USER) == {
        "phone_number": "+15005551001", "vip": True, "x": 1, "swrve.os": "web", "swrve.timezone_name": "Europe/Dublin",
        "timezone": "Europe/Dublin",
    }  # fmt: skip


def test_unknown_types_and_bad_items_never_sink_a_batch(phone):
    send(
        phone, item("qa_log_event", 1), item("next_years_type", 2), 7, {}, {"type": ["x"]}, item("event", 3), item("event", 4, name=5),
        item("event", 5, name="twilio.sent"), item("event", 6, name="x", payload="y"), item("user", 7, attributes=[]),
        item("event", 8, name="x", payload={"n": 2**70}), item("event", 9, ago=40 * clock.DAY, name="old"), item("event", 10, name="last"),
    )  # fmt: skip
    assert stored(phone) == [("last", "{}")]


def test_what_the_web_sdk_sends_twice_in_one_batch_is_taken_once(phone):
    """Reference, 3.4: after a 500 an event is stored and kept in memory too."""
    twice = item("event", 4, name="booked")
    send(phone, twice, item("session_start", 5), twice)
    send(phone, twice)  # and again, as after an answer that was lost
    assert sorted(name for name, _ in stored(phone)) == ["Swrve.session.start", "booked"]


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        (item("event", 1, name="a"), item("event", 2, name="a"), 2),
        (item("event", 1, name="a"), item("event", 1, 60_000, name="a"), 2),  # a browser that forgot its count
        (item("event", 1, name="a"), item("purchase", 1), 2),
        (item("event", 0, name="a"), item("event", 0, name="b"), 2),  # Android leaves out what is not above 0
        (item("event", 0, name="a"), item("event", 0, name="a"), 1),
        (item("event", 1, name="a"), item("event", "1", name="a"), 1),
    ],
)
def test_a_repeat_is_known_by_number_time_and_type(phone, one, other, count):
    send(phone, one)
    send(phone, other)
    assert len(stored(phone)) == count


def test_another_device_and_another_user_have_numbers_of_their_own(phone):
    one = item("event", 1, name="a")
    send(phone, one)
    send(phone, one, unique_device_id="another")
    send(phone, one, user="another")
    assert len(stored(phone)) == 3


def test_a_batch_is_taken_in_order_of_time_and_number(phone):
    send(
        phone,
        item("event", 4, name="booked"),
        item("event", 2, 120_000, name="earlier"),
        item("user", 3, attributes={"phone_number": "+15005551001"}),
        item("event", 9, 60_000, name="between"),
    )
    assert [name for name, _ in stored(phone)] == [
        "earlier",
        "between",
        "Swrve.user_properties_changed",
        "booked",
        "twilio.queued",
    ][:4]
    assert [state for _, state, _ in phone.messages()] == [
        "submitting"
    ]  # the number came before the booking that needs it


def at_start(sdk):
    """What an SDK sends when an app starts, in its own shape."""
    now = clock.now()
    device = {
        "swrve.os": sdk,
        "swrve.device_id": "1",
        "swrve.timezone_name": "Europe/Dublin",
        "swrve.install_date": "20261128",
    }
    joined = {"Web": "2026-11-28T00:00:00Z", "Android": "2026-11-28T00:00:00Z", "iOS": "2026-11-28T00:00:00.000Z"}[sdk]
    data = [
        {"type": "session_start", "time": now, "seqnum": 1},
        {
            "type": "event",
            "time": now,
            "seqnum": 2,
            "name": "Swrve.first_session",
            **({"payload": {}} if sdk == "Android" else {}),
        },
        {
            "type": "device_update",
            "time": now,
            "seqnum": 3,
            "attributes": device,
            **({"user_initiated": "false"} if sdk == "Android" else {}),
        },
        {
            "type": "user",
            "time": now,
            "seqnum": 4,
            "attributes": {"phone_number": "+15005551001", "joined": joined, "vip": sdk == "Web"},
        },
        {
            "type": "event",
            "time": now + 1,
            "seqnum": 5,
            "name": "booked",
            "payload": {"hotel": "Ritz", "nights": 3 if sdk == "Web" else "3"},
        },
    ]
    if sdk == "Web":  # what was queued after a 500 is there twice, and two posts overtake each other
        data = [data[2], data[4], data[0], data[1], data[2], data[3]]
    if sdk == "Android":  # what it sends from the background has no number
        data.append(
            {
                "type": "generic_campaign_event",
                "time": now + 2,
                "id": 9,
                "campaignType": "push",
                "actionType": "delivered",
                "payload": {},
            }
        )
    return body(*data, version="3" if sdk == "Android" else 3)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/plain", ""])
@pytest.mark.parametrize("sdk", ["Web", "Android", "iOS"])
def test_what_each_sdk_sends_when_an_app_starts(phone, sdk, kind):
    raw = msgspec.json.encode(at_start(sdk))
    for _ in range(2):  # and again, since the answer was lost
        answer = phone.call("POST", "/1/batch", raw, content_type=kind)
        assert (answer.status, answer.body) == (200, b"")
    names = [name for name, _ in stored(phone)]
    expected = ["Swrve.session.start", "Swrve.first_session", "Swrve.user_properties_changed", "booked"]
    assert names == expected + ["Swrve.Messages.Push-9.delivered"] * (sdk == "Android")
    known = phone.user(USER)
    assert (known["phone_number"], known["timezone"], known["swrve.os"]) == ("+15005551001", "Europe/Dublin", sdk)
    assert [state for _, state, _ in phone.messages()] == ["submitting"]

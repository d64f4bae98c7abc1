"""Swrve's formats: bodies as its Web, Android and iOS SDKs send them, with their quirks, and the single calls of servers."""

import hashlib
import json
from urllib.parse import quote, urlencode

import msgspec
import pytest

from inside import APP, RULE, SDK_KEYS, SWRVE_KEY, TWILIO, full_disk
from oncue.core import clock
from oncue.ingest import build
from oncue.store.doors import Doors
from oncue.store.jobs import Probe
from oncue.store.secrets import Vault

DEVICE = "112bfd4b-f33e-4623-bcad-1198b70fcb58"
USER = "07bc3700-1467-4c79-a643-9e432e04a200"


@pytest.fixture
def phone(inside):
    """An oncue with a key of each source and one rule."""
    inside.apply(SDK_KEYS + TWILIO + "rules:" + RULE)
    inside.do(Probe())  # reads it
    return inside


def token(user=USER, key=SWRVE_KEY, app=APP, at="1795415725"):
    return f"{app}={user}={at}={hashlib.md5(f'{user}{at}{key}'.encode()).hexdigest()}"


def body(*data, user=USER, **more):
    return {
        "user": user, "app_version": "2.5", "session_token": token(user), "version": 3, "unique_device_id": DEVICE, "data": data, **more
    }  # fmt: skip


def post(inside, content, path="/1/batch", **headers):
    raw = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return inside.call("POST", path, raw, content_type="application/json", **headers)


def send(inside, *data, **more):
    answer = post(inside, body(*data, **more))
    assert (answer.status, answer.body) == (200, b""), answer.body


def item(kind, seqnum=1, ago=0, **more):
    return {"type": kind, "time": clock.now() // 60_000 * 60_000 - ago, "seqnum": seqnum, **more}


def stored(inside, columns="name, properties"):
    return inside.rows(f"SELECT {columns} FROM store_event WHERE depth = 0 ORDER BY seq")


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


def single(inside, kind, method="GET", form=None, raw_query=None, **params):
    params = {"api_key": SWRVE_KEY, "user": "ann", "app_version": "1", **params}
    query = raw_query if raw_query is not None else "" if form is not None else urlencode(params)
    return inside.call(method, f"/1/{kind}?{query}", b"" if form is None else urlencode({**params, **form}).encode())


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("kind", "params", "name", "properties"),
    [
        ("session_start", {}, "Swrve.session.start", {}),
        ("session_end", {"swrve_payload": '{"a": 1}'}, "Swrve.session.end", {"a": 1}),
        ("event", {"name": "booked", "swrve_payload": '{"n": "7"}'}, "booked", {"n": "7"}),
        ("user", {"user_initiated": "false", "plan": "gold"}, "Swrve.user_properties_changed", {"plan": "gold"}),
        ("purchase", {"item": "x", "cost": "5", "quantity": "1.5", "currency": "g"}, "Swrve.user_purchase", {"item": "x", "cost": 5, "quantity": 1.5, "currency": "g"}),
        ("buy_in", {"cost": "9.99", "reward_amount": "10"}, "Swrve.buy_in", {"cost": 9.99, "reward_amount": 10}),
        ("currency_given", {"given_currency": "gold", "given_amount": "5"}, "Swrve.currency_given", {"given_currency": "gold", "given_amount": 5}),
        ("iap", {"product_id": "p", "cost": "x"}, "Swrve.iap", {"product_id": "p", "cost": "x"}),
    ],
)  # fmt: skip
def test_single_calls_by_get_and_post(phone, method, kind, params, name, properties):
    answer = single(phone, kind, method, params if method == "POST" else None, **({} if method == "POST" else params))
    assert (answer.status, answer.body) == (200, b"")
    assert [(one, json.loads(text)) for one, text in stored(phone)] == [(name, properties)]


def test_query_and_form_are_one(phone):
    answer = phone.call(
        "POST", f"/1/event?{urlencode({'api_key': SWRVE_KEY, 'user': 'bob'})}", urlencode({"name": "booked", "user": "ann"}).encode()
    )  # fmt: skip
    assert answer.status == 200 and stored(phone, "user_id, name") == [("ann", "booked")]


@pytest.mark.parametrize("payload", ['{"a":"b"}', '{"a":"b c"}', '{"a":"1&2=3"}', '{"a":"50%"}'])
@pytest.mark.parametrize("is_encoded", [True, False])
def test_a_payload_encoded_or_not(phone, payload, is_encoded):
    text = quote(payload) if is_encoded else payload
    query = f"api_key={SWRVE_KEY}&user=ann&name=booked&swrve_payload={text}"
    assert single(phone, "event", raw_query=query).status == 200
    assert [json.loads(text) for _, text in stored(phone)] == [json.loads(payload)]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"api_key": "nobody's"}, 403),
        ({"api_key": "seg_write_key"}, 403),
        ({"user": ""}, 400),
        ({"name": ""}, 400),
        ({"name": "booked", "swrve_payload": "{"}, 400),
        ({"name": "booked", "swrve_payload": "[1]"}, 400),
    ],
)
def test_what_is_wrong_with_a_single_call_is_said_in_swrves_form(phone, params, status):
    answer = single(phone, "event", **params)
    assert answer.status == status and answer.json()["code"] == str(status) and answer.json()["message"]
    assert stored(phone) == []


@pytest.mark.parametrize("prefix", ["", "/swrve.io", "/anything"])
@pytest.mark.parametrize("route", ["user_content", "user_resources_and_campaigns", "user_resources_diff"])
def test_content_is_answered_so_that_sdks_begin_to_send(phone, prefix, route):
    answer = phone.call("GET", f"{prefix}/api/1/{route}?api_key={SWRVE_KEY}&user={USER}&etag=x")
    assert answer.status == 200
    assert answer.json() == ([] if route.endswith("diff") else {"flush_frequency": 30000, "flush_refresh_delay": 5000})
    assert phone.call("GET", f"{prefix}/api/1/{route}?api_key=x").status == 403


def test_any_one_segment_may_stand_before_but_not_two_and_none_of_ours(phone):
    for path, status in [
        ("/swrve.io/1/batch", 200),
        ("/a/b/1/batch", 404),
        ("/v1/1/batch", 404),
        ("/hooks/1/batch", 404),
        ("/1/batch/", 404),
    ]:
        assert post(phone, body(item("event", name="x")), path).status == status, path


@pytest.mark.parametrize("route", ["/1/batch", "/identify", "/api/1/user_content", "/swrve.io/1/batch"])
def test_browsers_of_other_origins_may(phone, route):
    asked = phone.call(
        "OPTIONS", route, origin="https://shop.example.com", access_control_request_headers="content-type"
    )
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "content-type" in asked.headers["access-control-allow-headers"].lower()
    refused = post(phone, {}, "/1/batch", origin="https://shop.example.com")
    assert refused.status == 403 and refused.headers["access-control-allow-origin"] == "*"
    assert refused.headers["access-control-expose-headers"] == "ETag"


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        (("https://shop.example.com",), "https://shop.example.com", "https://shop.example.com"),
        (("https://shop.example.com",), "https://other.example.com", None),
        (("https://a.example.com", "https://b.example.com"), "https://b.example.com", "https://b.example.com"),
        (("*",), "https://anything.example.com", "*"),
        (("https://shop.example.com",), "", None),
    ],
)
def test_only_the_origins_that_are_named_may_send_from_their_pages(phone, origins, origin, allowed):
    phone.app = build(Doors(phone.writer, phone.public_url), origins=origins)
    for method, path in (("OPTIONS", "/1/batch"), ("POST", "/1/batch"), ("OPTIONS", "/v1/batch")):
        answer = phone.call(method, path, origin=origin)
        assert answer.headers.get("access-control-allow-origin") == allowed
        assert answer.headers.get("vary") == (None if "*" in origins else "Origin")


def identify(inside, device, user):
    answer = post(
        inside,
        {"api_key": SWRVE_KEY, "swrve_id": device, "external_user_id": user, "unique_device_id": DEVICE},
        "/identify",
    )
    assert answer.status == 200, answer.body
    return answer.json()["status"], answer.json()["swrve_id"]


def test_identify_knows_three_standings(phone):
    assert identify(phone, "d1", "ann") == ("new_external_id", "d1")
    assert identify(phone, "d1", "ann") == ("existing_external_id_with_matching_swrve_id", "d1")
    assert identify(phone, "d2", "ann") == ("existing_external_id", "d1")  # her second device goes by the first's id
    assert identify(phone, "d2", "ann") == ("existing_external_id", "d1")
    standing, fresh = identify(phone, "d1", "bob")  # he signs in on her first device
    assert standing == "existing_external_id" and fresh not in ("d1", "d2")
    assert identify(phone, "d1", "bob") == ("existing_external_id", fresh)
    assert identify(phone, fresh, "bob") == ("existing_external_id_with_matching_swrve_id", fresh)
    for device, user in [("d1", "ann"), ("d2", "ann"), (fresh, "bob")]:
        send(phone, item("event", name=f"by {device}"), user=device)
        assert stored(phone, "user_id")[-1] == (user,)


def test_what_a_device_did_before_it_said_whose_it_is_is_the_users(phone):
    send(phone, item("event", 1, name="looked"), item("user", 2, attributes={"vip": True}), user="d1")
    identify(phone, "d1", "ann")
    send(phone, item("event", 3, name="booked"), user="d1")
    assert [row[0] for row in stored(phone, "user_id")] == ["ann"] * 3
    assert phone.user("ann") == {"vip": True}


@pytest.mark.parametrize(
    ("device", "user"), [("", "ann"), ("d", ""), ("d", None), ("d", ["x"]), ("d", "x" * 201), ("d", "\0")]
)
def test_identify_without_both_is_400(phone, device, user):
    answer = post(phone, {"api_key": SWRVE_KEY, "swrve_id": device, "external_user_id": user}, "/identify")
    assert answer.status == 400 and answer.json()["message"]


def test_a_temporary_fault_is_500_and_never_429_or_503(phone):
    with full_disk():
        for answer in (
            post(phone, body(item("event", name="x"))),
            single(phone, "event", name="x"),
            post(phone, {"api_key": SWRVE_KEY, "swrve_id": "d", "external_user_id": "u"}, "/identify"),
        ):
            assert answer.status == 500 and answer.json()["code"] == "500"
    assert stored(phone) == []


def test_too_many_items_a_second_are_500_too(phone):
    phone.apply(SDK_KEYS.replace(f"app: {APP}", f"app: {APP}, per_second: 1"))
    phone.event("u", "configuration is read anew")
    answers = [post(phone, body(item("event", n, name="x"))).status for n in range(1, 9)]
    assert 500 in answers and set(answers) == {200, 500}


def test_a_key_that_cannot_be_read_at_present_costs_no_event(phone):
    """A wrong ONCUE_SECRET_KEY is mended in a minute, and SDKs throw away what is answered 403."""
    phone.execute(
        "UPDATE store_apikey SET secret = ? WHERE name = 'phone'", Vault("another key").close({"key": SWRVE_KEY})
    )
    phone.execute("UPDATE store_setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'config_version'")
    phone.do(Probe())
    assert post(phone, body(item("event", name="x"))).status == 500
    phone.apply(SDK_KEYS)  # the same file again, since the log says to enter it anew
    phone.do(Probe())
    send(phone, item("event", name="x"))


def test_identify_counts_as_what_a_key_may_send(phone):
    phone.apply(SDK_KEYS.replace(f"app: {APP}", f"app: {APP}, per_second: 1"))
    phone.do(Probe())
    asked = [
        post(phone, {"api_key": SWRVE_KEY, "swrve_id": f"d{n}", "external_user_id": f"u{n}"}, "/identify").status
        for n in range(5)
    ]
    assert asked == [200, 200, 500, 500, 500]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("5", 5), ("-1.5", -1.5), ("1_000", "1_000"), ("４", "４"), ("nan", "nan"), ("9" * 30, "9" * 30)],
)
def test_what_is_a_number(phone, given, kept):
    assert single(phone, "purchase", cost=given).status == 200
    assert json.loads(stored(phone)[0][1]) == {"cost": kept}


def test_a_batch_has_an_end(phone):
    assert post(phone, body(*[1] * 5_000)).status == 200
    assert post(phone, body(*[1] * 5_001)).status == 400

"""Swrve's other calls: single ones of servers, identify, content; who may call, and what is answered when something is wrong."""

import json
from urllib.parse import quote, urlencode

import pytest
from swrving import DEVICE, USER, body, item, post, send, stored

from inside import APP, SDK_KEYS, SWRVE_KEY, full_disk
from oncue.ingest import build
from oncue.store.doors import Doors
from oncue.store.jobs import Probe
from oncue.store.secrets import Vault


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

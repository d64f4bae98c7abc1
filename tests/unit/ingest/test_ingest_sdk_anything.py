"""Whatever comes by the doors of SDKs, they answer below 500, nothing is half taken in, and what is good among it is kept."""

from __future__ import annotations

import hashlib
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_ingest_anything import OBJECTS, QUIET, VALUES, as_json

from inside import APP, SDK_KEYS, SWRVE_KEY, WRITE_KEY, Inside, opened
from oncue.core import clock
from oncue.store.jobs import Probe

IDS = st.sampled_from(["ann", "v1", "v2"]) | VALUES
WHEN = st.sampled_from([1, "2001-01-01", "rubbish"]) | st.builds(clock.now) | VALUES
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "identify", "page", "screen", "group", "alias"]) | VALUES},
    optional={
        "userId": IDS, "anonymousId": IDS, "previousId": IDS, "groupId": IDS, "messageId": st.sampled_from(["1", "2"]) | VALUES,
        "event": st.sampled_from(["booked", "clicked", "twilio.sent", "oncue.opted_out"]) | VALUES, "name": VALUES, "properties": OBJECTS | VALUES,
        "traits": OBJECTS | VALUES, "context": OBJECTS | st.fixed_dictionaries({"traits": OBJECTS | VALUES}), "timestamp": WHEN, "sentAt": WHEN,
    },
)  # fmt: skip
KINDS = (
    "event", "user", "device_update", "session_start", "session_end", "purchase", "buy_in", "iap", "currency_given", "generic_campaign_event",
)  # fmt: skip
ITEMS = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS) | VALUES},
    optional={
        "time": WHEN, "seqnum": st.integers(0, 3) | VALUES, "name": st.sampled_from(["booked", "clicked", "email.sent"]) | VALUES,
        "payload": OBJECTS | VALUES, "attributes": OBJECTS | VALUES, "cost": VALUES, "rewards": OBJECTS, "campaignType": st.sampled_from(["push", "iam"]) | VALUES,
        "actionType": VALUES, "id": VALUES, "campaignId": VALUES,
    },
)  # fmt: skip
numbers = itertools.count()


@pytest.fixture(scope="module")
def ear(tmp_path_factory):
    for inside in opened(Inside(tmp_path_factory.mktemp("ear"))):
        inside.apply(SDK_KEYS)
        inside.do(Probe())
        yield inside


def segment(ear, body, path="/v1/batch"):
    return ear.call("POST", path, body, authorization=f"Bearer {WRITE_KEY}")


def swrve(ear, body, path="/1/batch"):
    return ear.call("POST", path, body, content_type="application/json")


def token(user):
    return f"{APP}={user}=1={hashlib.md5(f'{user}1{SWRVE_KEY}'.encode()).hexdigest()}"


def said(answer):
    """An error is said in the form that the SDKs read, and is never our own fault."""
    assert 200 <= answer.status < 500, answer.body
    if answer.status >= 300:
        content = answer.json()
        assert (
            content["code"] == str(answer.status)
            and content["message"]
            and "fault of its own" not in content["message"]
        )


def landmark(ear, name):
    """Whether the event that stood at the end of a batch is there."""
    return ear.rows("SELECT COUNT(*) FROM store_event WHERE name = ?", name) == [(1,)]


@QUIET
@given(body=st.binary(max_size=300))
def test_any_bytes(ear, body):
    for path in ("/v1/batch", "/v1/track", "/v1/identify"):
        said(segment(ear, body, path))
    for path in ("/1/batch", "/identify", "/1/event", "/1/user"):
        said(swrve(ear, body, path))


@QUIET
@given(
    value=VALUES
    | st.dictionaries(st.sampled_from(["batch", "data", "user", "session_token", "swrve_id", "api_key"]), VALUES)
)
def test_any_json(ear, value):
    for path in ("/v1/batch", "/v1/track", "/v1/alias"):
        said(segment(ear, as_json(value), path))
    for path in ("/1/batch", "/identify", "/1/event"):
        said(swrve(ear, as_json(value), path))


@QUIET
@given(messages=st.lists(MESSAGES | VALUES, max_size=6))
def test_anything_among_a_batch_of_segments(ear, messages):
    last = f"landmark {next(numbers)}"
    answer = segment(ear, as_json({"batch": [*messages, {"type": "track", "userId": "u", "event": last}]}))
    assert answer.status == 200 and answer.json()["success"] is True
    refused = [one["index"] for one in answer.json().get("rejected", [])]
    assert refused == sorted(set(refused)) and len(messages) not in refused and landmark(ear, last)
    for one in answer.json().get("rejected", []):
        assert one["message"] and "fault of its own" not in one["message"], one


@QUIET
@given(message=MESSAGES, kind=st.sampled_from(["track", "identify", "page", "screen", "group", "alias", "t", "i"]))
def test_anything_as_a_single_message(ear, message, kind):
    said(segment(ear, as_json(message), f"/v1/{kind}"))


@QUIET
@given(items=st.lists(ITEMS | VALUES, max_size=6), user=st.sampled_from(["d1", "d=2", "ä"]), device=VALUES)
def test_anything_among_a_batch_of_swrves(ear, items, user, device):
    last = f"landmark {next(numbers)}"
    good = {"type": "event", "name": last, "time": clock.now(), "seqnum": 10**9 + next(numbers)}
    body = {
        "user": user,
        "session_token": token(user),
        "version": 3,
        "unique_device_id": device,
        "data": [*items, good],
    }
    answer = swrve(ear, as_json(body))
    assert (answer.status, answer.body) == (200, b"") and landmark(ear, last)


@QUIET
@given(
    given_=st.dictionaries(
        st.sampled_from(["user", "name", "swrve_payload", "cost", "seqnum", "time", "type", "x"]), VALUES, max_size=5
    ),
    kind=st.sampled_from(["event", "user", "session_start", "purchase", "buy_in", "iap", "currency_given"]),
    query=st.text(st.characters(max_codepoint=255), max_size=30),
)
def test_anything_as_a_single_call(ear, given_, kind, query):
    query = query.replace("?", "")
    said(swrve(ear, as_json({"api_key": SWRVE_KEY, **given_}), f"/1/{kind}?{query}"))
    said(ear.call("POST", f"/1/{kind}?api_key={SWRVE_KEY}&{query}", query.encode("latin-1")))


@QUIET
@given(device=IDS, user=IDS)
def test_anyone_may_identify_as_anybody(ear, device, user):
    answer = swrve(ear, as_json({"api_key": SWRVE_KEY, "swrve_id": device, "external_user_id": user}), "/identify")
    said(answer)
    assert answer.status == 400 or answer.json().keys() == {"status", "swrve_id"}


def test_all_that_was_accepted_is_there_and_nothing_else(ear):
    total = ear.rows("SELECT SUM(count) FROM store_counter WHERE name = 'event'")[0][0]
    assert total == ear.rows("SELECT COUNT(*) FROM store_event")[0][0]
    for (properties,) in ear.rows("SELECT properties FROM store_event UNION ALL SELECT properties FROM store_user"):
        assert isinstance(msgspec.json.decode(properties), dict)
    sql = "SELECT COUNT(*) FROM store_alias LEFT JOIN store_user ON store_user.id = store_alias.user_id WHERE COALESCE(anonymous, 1)"
    assert ear.rows(sql) == [(0,)]  # whoever an id was found to be is named

"""Whatever comes, the ear answers below 500, and its verdicts add up."""

from __future__ import annotations

import gzip
import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples import examples
from inside import KEY, Inside, opened

QUIET = settings(
    max_examples=examples(30),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

TEXT = st.text(st.characters(codec=None), max_size=30)  # halves of characters too
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.integers(-(10**400), 10**400)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=4)
NAMES = st.sampled_from(["clicked", "booked", "twilio.sent", "oncue.opted_in", "oncue.opted_out"]) | VALUES
ITEMS = (
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["event", "user", "consent"]) | VALUES,
            "user": st.sampled_from(["u", "v"]) | VALUES,
            "name": NAMES,
            "properties": OBJECTS | VALUES,
            "user_properties": OBJECTS | VALUES,
            "id": st.sampled_from(["1", "2"]) | VALUES,
            "timestamp": VALUES,
            "category": st.sampled_from(["promotional", "transactional"]) | VALUES,
            "state": st.sampled_from(["opted_in", "opted_out"]) | VALUES,
        },
    )
    | VALUES
)
GOOD = st.builds(
    lambda name, properties, more: {"user": "u", "name": name, "properties": properties, **more},
    st.sampled_from(["clicked", "booked"]),
    OBJECTS,
    st.fixed_dictionaries({}, optional={"user_properties": OBJECTS, "id": st.sampled_from(["1", "2"])}),
)


@pytest.fixture(scope="module")
def ear(tmp_path_factory):
    yield from opened(Inside(tmp_path_factory.mktemp("ear")))


def as_json(value) -> bytes:
    return json.dumps(value).encode()


def checked(answer, single: bool) -> None:
    """Verdicts add up, and every refusal is said."""
    assert answer.status in (202, 400), answer.body
    content = answer.json()
    if "error" in content:
        assert answer.status == 400 and answer.sentence
        return
    rejected = {one["index"] for one in content["rejected"]}
    assert answer.status == 202 or (single and rejected)
    assert content["accepted"] + content["duplicates"] + len(rejected) == len(content["ids"])
    assert {index for index, one in enumerate(content["ids"]) if one is None} == rejected
    for one in content["rejected"]:
        assert one["error"] and "fault of its own" not in one["error"], one


@QUIET
@given(body=st.binary(max_size=300))
def test_any_bytes(ear, body):
    checked(ear.post(body), True)


@QUIET
@given(body=st.binary(max_size=300))
def test_any_bytes_called_gzip(ear, body):
    assert ear.post(body, content_encoding="gzip").status in (202, 400)
    assert ear.post(gzip.compress(body), content_encoding="gzip").status in (202, 400)


@QUIET
@given(value=VALUES)
def test_any_json(ear, value):
    checked(ear.post(as_json(value)), True)


@QUIET
@given(item=ITEMS)
def test_anything_as_an_item(ear, item):
    checked(ear.post(as_json(item)), True)


@QUIET
@given(batch=st.lists(ITEMS | GOOD, min_size=1, max_size=5))
def test_anything_among_a_batch(ear, batch):
    answer = ear.post(as_json({"items": batch}))
    checked(answer, False)
    assert answer.status == 202 and len(answer.json()["ids"]) == len(batch)


@QUIET
@given(
    body=st.binary(max_size=40),
    path=st.text(st.characters(max_codepoint=255), max_size=20),
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", ""]),
    name=st.sampled_from([b"authorization", b"content-type", b"content-encoding", b"content-length", b"x"]),
    value=st.binary(max_size=20),
)
def test_any_request(ear, body, path, method, name, value):
    from inside import request

    for one in ("/v1/events", "/hooks/twilio/status/" + path.replace("?", ""), "/" + path):
        headers = {b"authorization": b"Bearer " + KEY.encode(), name: value}
        answer = ear.run(request(ear.app, method, one, body, headers))
        assert 200 <= answer.status < 500, (one, answer)


def test_all_that_was_accepted_is_there_and_nothing_else(ear):
    total = ear.rows("SELECT SUM(count) FROM store_counter WHERE name = 'event'")[0][0]
    assert total == ear.rows("SELECT COUNT(*) FROM store_event")[0][0]
    for (properties,) in ear.rows("SELECT properties FROM store_event UNION ALL SELECT properties FROM store_user"):
        assert isinstance(msgspec.json.decode(properties), dict)

"""Requests as a whole: methods, paths, types, sizes, gzip, slow and broken bodies. Each refusal is a sentence, and keeps nothing."""

import gzip
import tracemalloc

import msgspec
import pytest

from inside import KEY
from oncue.ingest import items

EVENT = {"type": "event", "user": "u", "name": "clicked"}
RAW = msgspec.json.encode(EVENT)
BEARER = f"Bearer {KEY}"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_405_and_says_which_to_use(inside, method):
    answer = inside.call(method, "/v1/events", RAW, authorization=BEARER)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert "POST" in answer.sentence
    assert inside.events() == []


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/event", "/v1/events/", "/V1/EVENTS", "/hooks", "/hook/x", "//v1/events"]
)
def test_an_unknown_path_is_404_with_a_sentence(inside, path):
    answer = inside.call("POST", path, RAW, authorization=BEARER)
    assert answer.status == 404 and "/v1/events" in answer.sentence
    assert inside.events() == []


@pytest.mark.parametrize(
    "path", ["/hooks/", "/hooks/twilio", "/hooks/twilio/nothing", "/hooks/nobody/status", "/hooks/%ff/x"]
)
def test_an_unknown_hook_is_404_with_a_sentence(inside, path):
    assert inside.call("POST", path, b"").sentence == "Nothing is called here."


def test_a_query_changes_nothing(inside):
    assert inside.call("POST", "/v1/events?x=1", RAW, authorization=BEARER).status == 202


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON", " application/json ;x=y", ""]
)
def test_json_is_taken_however_it_is_called(inside, kind):
    assert inside.post(EVENT, content_type=kind).status == 202


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "text/json", "é"]
)
def test_another_content_type_is_415(inside, kind):
    answer = inside.post(EVENT, content_type=kind)
    assert answer.status == 415 and "application/json" in answer.sentence
    assert inside.events() == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The body is empty"),
        (b" \r\n\t", "The body is empty"),
        (b"{", "The body is not JSON"),
        (RAW[:-1], "The body is not JSON"),
        (RAW + b"x", "The body is not JSON"),
        (RAW + RAW, "The body is not JSON"),
        (b"user=u&name=n", "The body is not JSON"),
        (b"\xff\xfe", "The body is not JSON"),
        (b"\xef\xbb\xbf" + RAW, "The body is not JSON"),
        (b'{"user": "u\x00", "name": "n"}', "The body is not JSON"),
        (b'{"user": "u", "name": "n", "properties": ' + b"[" * 20_000 + b"}", "The body is not JSON"),
        (b"[]", 'The body must be one item, or {"items": [...]}'),
        (b"[" + RAW + b"]", 'The body must be one item, or {"items": [...]}'),
        (b"null", 'The body must be one item, or {"items": [...]}'),
        (b'"event"', 'The body must be one item, or {"items": [...]}'),
        (b"12", 'The body must be one item, or {"items": [...]}'),
        (b'{"items": null}', "items must be a list"),
        (b'{"items": {}}', "items must be a list"),
        (b'{"items": "x"}', "items must be a list"),
        (b'{"items": []}', "The list of items is empty"),
    ],
)
def test_what_is_no_request_is_400_with_a_sentence(inside, body, says):
    answer = inside.post(body)
    assert answer.status == 400 and answer.sentence.startswith(says), answer.body
    assert inside.events() == []


def test_a_thousand_items_are_taken_and_one_more_is_refused_whole(inside):
    batch = [{**EVENT, "user": f"u{n % 7}"} for n in range(1_000)]
    assert inside.post({"items": batch}).json()["accepted"] == 1_000
    refused = inside.post({"items": [*batch, EVENT]})
    assert refused.status == 400 and "at most 1,000 items, and this one has 1,001" in refused.sentence
    assert len(inside.events()) == 1_000


def padded(size: int) -> bytes:
    """A request of exactly so many bytes."""
    return RAW + b" " * (size - len(RAW))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("size", "status"), [(items.MOST_BYTES, 202), (items.MOST_BYTES + 1, 413)])
def test_a_request_has_a_megabyte_at_most(inside, size, status, packed):
    # The padding lies around the item, which has a limit of its own.
    body = b'{"items": [' + padded(100) + b"]" + b" " * (size - 113) + b"}"
    assert len(body) == size
    answer = inside.post(gzip.compress(body), content_encoding="gzip") if packed else inside.post(body)
    assert answer.status == status, answer.body
    assert len(inside.events()) == (status == 202)
    if status == 413:
        assert "1,000,000 bytes" in answer.sentence


def test_a_body_in_pieces_is_one_body(inside):
    pieces = [RAW[:5], b"", RAW[5:20], RAW[20:]]
    assert inside.call("POST", "/v1/events", pieces, authorization=BEARER).status == 202
    assert inside.events() == ["clicked"]


def test_a_body_in_pieces_is_refused_as_soon_as_it_is_too_large(inside):
    pieces = [b" " * 600_000, b" " * 600_000, None]  # what follows is not waited for
    assert inside.call("POST", "/v1/events", pieces, authorization=BEARER).status == 413


def test_a_length_may_have_any_number_of_zeros_before_it(inside):
    """Python refuses to read a number of more than 4,300 digits, which was answered 500."""
    assert inside.post(RAW, content_length="0" * 5_000 + str(len(RAW))).status == 202
    assert inside.post(RAW, content_length="0" * 5_000 + "1000001").status == 413


@pytest.mark.parametrize("number", ["9" * 900_000, "-" + "9" * 900_000, "0." + "0" * 900_000 + "1", "9" * 30_000, "1e999999999", "1" + "0" * 30_000 + ".5", "1E-999999999"])  # fmt: skip
def test_a_number_without_end_is_refused_or_read_and_costs_nothing(inside, number):
    one = b'{"user": "u", "name": "n", "properties": {"n": %s}}' % number.encode()
    answer = inside.post(b'{"items": [%s, %s]}' % (one, RAW))
    assert answer.status in (202, 400) and len(answer.body) < 1_000, answer
    assert inside.post(one).status in (202, 400)


def test_an_announced_length_past_the_limit_is_refused_before_the_body_comes(inside):
    answer = inside.call("POST", "/v1/events", [], authorization=BEARER, content_length="1000001")
    assert answer.status == 413


@pytest.mark.parametrize("pieces", [[None], [RAW, None], [RAW[:9], None], [b"", None]])
def test_a_client_that_hangs_up_leaves_nothing(inside, pieces):
    answer = inside.call("POST", "/v1/events", pieces, authorization=BEARER)
    assert answer.status == 0
    assert inside.events() == []
    assert 'oncue_requests_total{route="events",status="499"} 1' in metrics(inside)


def metrics(inside) -> str:
    return inside.call("GET", "/metrics").body.decode()


def test_gzip_is_unpacked(inside):
    assert inside.post(gzip.compress(RAW), content_encoding="gzip").status == 202
    assert inside.post(gzip.compress(RAW), content_encoding=" GZIP ").status == 202
    assert inside.post(RAW, content_encoding="identity").status == 202


def test_a_bomb_is_413_and_never_unpacked_whole(inside):
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < items.MOST_BYTES
    tracemalloc.start()
    answer = inside.post(bomb, content_encoding="gzip")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status == 413 and most < 5_000_000


@pytest.mark.parametrize(
    "body",
    [
        RAW,
        b"",
        gzip.compress(RAW)[:-1],
        gzip.compress(RAW)[:12],
        gzip.compress(RAW)[:-8] + b"\0" * 8,  # its checksum is wrong
        gzip.compress(RAW) + b"rubbish",
        gzip.compress(RAW) + gzip.compress(RAW),  # the second would be dropped in silence
    ],
    ids=["plain", "empty", "cut", "cut early", "checksum", "rubbish after", "two members"],
)
def test_broken_gzip_is_400_with_a_sentence(inside, body):
    answer = inside.post(body, content_encoding="gzip")
    assert answer.status == 400 and "gzip" in answer.sentence
    assert inside.events() == []


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "x-gzip", "zstd"])
def test_another_encoding_is_415(inside, encoding):
    answer = inside.post(RAW, content_encoding=encoding)
    assert answer.status == 415 and "gzip" in answer.sentence


def test_health_readiness_and_metrics(inside):
    assert inside.call("GET", "/healthz").body == b"ok\n"
    ready = inside.call("GET", "/readyz")
    assert (ready.status, ready.json()) == (200, {"ready": True, "problem": ""})
    inside.post({"items": [{**EVENT, "id": "1"}, {**EVENT, "id": "1"}, {"type": "event"}]})
    inside.post(EVENT, key="a wrong key")
    told = metrics(inside)
    for line in (
        'oncue_requests_total{route="events",status="202"} 1',
        'oncue_requests_total{route="events",status="401"} 1',
        'oncue_items_total{verdict="accepted"} 1',
        'oncue_items_total{verdict="duplicate"} 1',
        'oncue_items_total{verdict="rejected"} 1',
        'oncue_store_total{kind="event",label="clicked"} 1',
        "oncue_writer_queue_items 0",
    ):
        assert line in told.splitlines()
    assert KEY not in told


def test_metrics_quote_what_an_app_may_call_its_events(inside):
    inside.event("u", 'a "b" \\ c')
    assert r'label="a \"b\" \\ c"' in metrics(inside)

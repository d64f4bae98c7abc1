"""Who may send events: a Bearer key, and a sentence for everybody else."""

import hmac

import pytest

from inside import ANOTHER, KEY, KEYS, turn

EVENT = {"type": "event", "user": "u", "name": "clicked"}


def test_a_good_key_is_taken(inside):
    answer = inside.post(EVENT)
    assert answer.status == 202 and inside.events() == ["clicked"]
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("given", [f"bearer {KEY}", f"BEARER {KEY}", f"Bearer   {KEY}", f"Bearer {KEY} "])
def test_case_and_spaces_round_a_key_do_not_matter(inside, given):
    assert inside.call("POST", "/v1/events", b'{"user":"u","name":"n"}', authorization=given).status == 202


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer another-key-0123456789"},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": f"Bearer {KEY[:-1]}"},
        {"authorization": f"Bearer {KEY.upper()}"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": KEY},
        {"authorization": f"Bearer{KEY}"},
        {"authorization": "Bearer \u00ff\u2603"},
        {"x_api_key": KEY},
    ],
)
def test_no_key_a_wrong_one_or_a_wrong_scheme_is_401_with_a_sentence(inside, given):
    answer = inside.call("POST", "/v1/events", b'{"user":"u","name":"n"}', **given)
    assert answer.status == 401
    assert "Authorization: Bearer" in answer.sentence and "oncue key create" in answer.sentence
    assert answer.headers["www-authenticate"] == "Bearer"
    assert inside.events() == []


def test_a_wrong_key_is_told_before_anything_about_the_body(inside):
    assert inside.call("POST", "/v1/events", b"not JSON", content_type="text/csv").status == 401


def test_the_key_is_stored_hashed(inside):
    assert inside.rows("SELECT name FROM store_apikey") == [("shop",)]
    assert KEY.encode() not in b"".join(path.read_bytes() for path in inside.folder.iterdir() if path.is_file())


def test_a_new_value_of_a_key_reaches_a_running_server_and_the_old_one_is_refused(inside):
    inside.apply(KEYS.replace(KEY, "a-new-value-0123456789"))
    inside.run(inside.writer.probe(5))
    assert inside.post(EVENT).status == 401
    assert inside.post(EVENT, key="a-new-value-0123456789").status == 202


def test_an_id_is_recognised_after_the_key_s_value_was_changed(inside):
    first = inside.post({**EVENT, "id": "e1"}).json()["ids"]
    inside.apply(KEYS.replace(KEY, "a-new-value-0123456789"))
    inside.run(inside.writer.probe(5))
    again = inside.post({**EVENT, "id": "e1"}, key="a-new-value-0123456789").json()
    assert (again["duplicates"], again["ids"]) == (1, first)


def test_more_than_a_key_may_send_is_429_with_a_time_to_come_back(inside):
    inside.apply("api_keys: [{name: slow, key: slow-key-0123456789, per_second: 2}, {name: shop, key: " + KEY + "}]")
    inside.run(inside.writer.probe(5))
    burst = inside.post({"items": [EVENT] * 4}, key="slow-key-0123456789")  # two seconds' worth may come at once
    refused = inside.post({"items": [EVENT] * 4}, key="slow-key-0123456789")
    assert (burst.status, refused.status) == (202, 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 2
    assert "more than 2 items a second" in refused.sentence
    assert inside.post(EVENT).status == 202  # another key is not slowed by it
    assert len(inside.events()) == 5


def test_a_batch_larger_than_the_burst_passes_and_is_paid_off_afterwards(inside):
    inside.apply("api_keys: [{name: slow, key: slow-key-0123456789, per_second: 2}]")
    inside.run(inside.writer.probe(5))
    assert inside.post({"items": [EVENT] * 20}, key="slow-key-0123456789").status == 202
    refused = inside.post(EVENT, key="slow-key-0123456789")
    assert refused.status == 429 and int(refused.headers["retry-after"]) > 7


def test_after_the_time_named_the_key_may_send_again(inside):
    inside.apply("api_keys: [{name: slow, key: slow-key-0123456789, per_second: 0.01}]")
    inside.run(inside.writer.probe(5))
    assert inside.post(EVENT, key="slow-key-0123456789").status == 202
    refused = inside.post(EVENT, key="slow-key-0123456789")
    assert refused.status == 429
    turn(int(refused.headers["retry-after"]))
    assert inside.post(EVENT, key="slow-key-0123456789").status == 202


@pytest.mark.parametrize("given", [KEY, KEY[:-1] + "x", "x" * len(KEY), "x"])
def test_how_long_a_key_is_looked_for_says_nothing_of_any_key(inside, monkeypatch, given):
    """Digests are compared, each whole, and all of them whatever is found."""
    inside.apply(KEYS.replace("]", ", {name: other, key: " + ANOTHER + "}]", 1))
    inside.run(inside.writer.probe(5))
    compared = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append((one, other)) or compare(one, other))
    inside.call("POST", "/v1/events", b'{"user":"u","name":"n"}', authorization=f"Bearer {given}")
    assert len(compared) == 2 and {len(one) for pair in compared for one in pair} == {len(compared[0][0])}
    assert not any(KEY in str(one) or given in str(one) for pair in compared for one in pair if len(given) > 1)

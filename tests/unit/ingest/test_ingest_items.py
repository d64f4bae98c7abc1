"""A verdict per item (wild bug 18): each fault is a sentence with its index, and one bad item never sinks its neighbours."""

import msgspec
import pytest

from oncue.core import clock
from oncue.ingest import items

GOOD = b'{"user": "u", "name": "clicked"}'


def event(**more) -> dict:
    return {"type": "event", "user": "u", "name": "clicked", **more}


def nested(depth: int):
    """An object of so many levels."""
    value = 1
    for _ in range(depth):
        value = {"a": value}
    return value


LISTS = b'{"user": "u", "name": "n", "properties": {"a": ' + b"[" * 100 + b"]" * 100 + b"}}"


def of(text: str) -> bytes:
    """An event with this JSON as a property."""
    return b'{"user": "u", "name": "n", "properties": {"a": ' + text.encode("utf-8", "surrogatepass") + b"}}"


BAD = [
    ("an item of another kind", b'"clicked"', "An item is a JSON object."),
    ("null", b"null", "An item is a JSON object."),
    ("a list", b"[" + GOOD + b"]", "An item is a JSON object."),
    ("nothing", {}, 'An item needs a type: "event", "user" or "consent"; an event may leave it out, but needs a name.'),
    ("an unknown type", event(type="page"), 'type must be "event", "user" or "consent", not "page".'),
    ("a type that is no text", event(type=["event"]), "type must be"),
    ("a huge number as type", b'{"type": 1' + b"0" * 30 + b"}", "type must be"),
    ("no user", {"type": "event", "name": "n"}, "user is required."),
    ("an empty user", event(user=""), "user must not be empty."),
    ("a user of spaces", event(user="  "), "user must not be empty."),
    ("a user that is a number", event(user=12), "user must be a text, not 12; put quotes around it."),
    ("a long user", event(user="x" * 201), "user is 201 characters long; the limit is 200."),
    ("a user with NUL", event(user="u\0"), "user holds a NUL character"),
    ("no name", {"type": "event", "user": "u"}, "name is required."),
    ("an empty name", event(name=""), "name must not be empty."),
    ("a long name", event(name="x" * 201), "name is 201 characters long; the limit is 200."),
    ("a name with a line break", event(name="a\nb"), "name holds a character that cannot be seen."),
    ("a name with a zero-width space", event(name="a\u200bb"), "name holds a character that cannot be seen."),
    ("an id that is a number", event(id=12), "id must be a text, not 12; put quotes around it."),
    ("an empty id", event(id=""), "id must not be empty."),
    ("a long id", event(id="x" * 201), "id is 201 characters long"),
    ("a field nobody knows", event(proprties={}), "There is no field 'proprties' in an item of type event; there are: id,"),
    ("an event's field on a user", {"type": "user", "user": "u", "name": "n"}, "There is no field 'name' in an item"),
    ("a very long field", event(**{"x" * 5_000: 1}), "There is no field 'xxxx"),
    ("properties in a list", event(properties=[1]), "properties must be an object, not [1]."),
    ("properties in an empty list", event(properties=[]), "properties must be an object, not []."),
    ("user_properties in a list", event(user_properties=[1]), "user_properties must be an object, not [1]."),
    ("user_properties in an empty list", event(user_properties=[]), "user_properties must be an object, not []."),
    ("user_properties 0", event(user_properties=0), "user_properties must be an object, not 0."),
    ("a property without a name", event(properties={"": 1}), "properties has a property whose name is empty"),
    ("a long property name", event(properties={"x" * 201: 1}), "over 200 characters"),
    ("NUL in a property's name", event(properties={"a\0": 1}), "or holds NUL"),
    ("a property with $", event(properties={"$id": 1}), "The property '$id' begins with $"),
    ("NUL in a property", event(properties={"a": {"b": ["x\0"]}}), "properties.a.b holds a NUL character"),
    ("NUL in a user's property", event(user_properties={"a": "\0"}), "user_properties.a holds a NUL character"),
    ("33 levels", event(properties=nested(33)), "nests deeper than 32."),
    ("100 lists", LISTS, "properties.a nests deeper than 32."),
    ("an integer of 65 bits", event(properties={"a": 2**63}), "properties.a is an integer past 64 bits; send it as text."),
    ("one below the lowest", of(str(-(2**63) - 1)), "properties.a is an integer past 64 bits; send it as text."),
    ("an integer of 400 digits", of("1" + "0" * 400), "properties.a is an integer past 64 bits; send it as text."),
    ("an integer of 5,000 digits", of("1" * 5_000), "The item is not JSON: Integer value out of range"),
    ("a number past all", of("1e999"), "The item is not JSON: Number out of range"),
    ("NaN", of("NaN"), "The item is not JSON"),
    ("Infinity", of("-Infinity"), "The item is not JSON"),
    ("half an emoji", of(r'"Hi \ud83d"'), "The item holds half a character"),
    ("the other half", of(r'"\udc00"'), "The item holds half a character"),
    ("half an emoji in a name", b'{"user": "u", "name": "\\ud83d"}', "The item holds half a character"),
    ("half an emoji in bytes", of('"\ud83d"'), "The item is not JSON"),
    ("bytes that are not UTF-8", of('"x"').replace(b"x", b"\xff"), "The item is not JSON"),
    ("a consent without category", {"type": "consent", "user": "u", "state": "opted_in"}, "category must be transactional"),
    ("a consent without state", {"type": "consent", "user": "u", "category": "promotional"}, "state must be opted_in"),
    ("a consent to news", {"type": "consent", "user": "u", "category": "news", "state": "opted_in"}, 'not "news".'),
    ("an opt-out of news", event(name="oncue.opted_out", properties={"category": "news"}), 'not "news".'),
    ("an opt-out of nothing", event(name="oncue.opted_out", properties={"category": None}), "not nothing."),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "says"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_item_is_refused_with_a_sentence_and_its_neighbours_go_through(inside, bad, says):
    raw = bad if isinstance(bad, bytes) else msgspec.json.encode(bad)
    answer = inside.post(b'{"items": [' + GOOD + b"," + raw + b"," + GOOD + b"]}")
    assert answer.status == 202, answer.body
    content = answer.json()
    (rejected,) = content["rejected"]
    assert rejected["index"] == 1 and says in rejected["error"] and len(rejected["error"]) < 400
    assert (content["accepted"], content["duplicates"]) == (2, 0)
    assert [one is None for one in content["ids"]] == [False, True, False]
    assert inside.events() == ["clicked", "clicked"]


@pytest.mark.parametrize(("bad", "says"), [case[1:] for case in BAD[3:]], ids=[case[0] for case in BAD[3:]])
def test_a_bad_item_alone_is_400_with_the_same_sentence(inside, bad, says):
    answer = inside.post(bad)
    assert answer.status == 400
    content = answer.json()
    assert content["accepted"] == 0 and content["ids"] == [None]
    assert [one["index"] for one in content["rejected"]] == [0] and says in content["rejected"][0]["error"]
    assert inside.events() == []


@pytest.mark.parametrize(
    "name",
    ["twilio.delivered", "twilio.", "message.expired", "email.sent", "webhook.failed", "rule.chain_cut", "oncue.x"],
)
def test_names_that_oncue_raises_itself_are_refused(inside, name):
    answer = inside.post(event(name=name))
    assert answer.status == 400
    assert (
        "begins like one that oncue or an adaptor raises itself; choose another."
        in answer.json()["rejected"][0]["error"]
    )


GOOD_PROPERTIES = [
    {"a": 2**63 - 1, "b": -(2**63), "c": 1.5, "d": True, "e": None, "f": "€😀ç", "g": [], "h": {}},
    nested(32),
    {"x" * 200: 1, "a name with spaces": 1, "inner": {"$id": 1}},
    {"name": "hidden?", "id": 7, "timestamp": "now"},
    {},
]


@pytest.mark.parametrize("properties", GOOD_PROPERTIES)
def test_what_can_be_kept_is_kept_as_it_came(inside, properties):
    inside.event("u" * 200, "n" * 200, properties, id="i" * 200, user_properties=properties)
    ((kept,),) = inside.rows("SELECT properties FROM store_event")
    assert msgspec.json.decode(kept) == properties


def test_an_item_has_32_kilobytes_at_most(inside):
    def sized(size: int) -> bytes:
        start, end = b'{"user":"u","name":"n","properties":{"a":"', b'"}}'
        return start + b"x" * (size - len(start) - len(end)) + end

    answer = inside.post(b'{"items":[' + sized(items.MOST_ITEM_BYTES) + b"," + sized(items.MOST_ITEM_BYTES + 1) + b"]}")
    assert answer.json()["rejected"] == [
        {"index": 1, "error": "An item has at most 32,000 bytes, and this one has 32,001."}
    ]


def test_a_batch_without_any_good_item_is_still_answered_item_by_item(inside):
    answer = inside.post({"items": [{}, {"type": "event"}]})
    assert (answer.status, answer.json()["ids"]) == (202, [None, None])
    assert [one["index"] for one in answer.json()["rejected"]] == [0, 1]


HOUR, DAY = clock.HOUR, clock.DAY
TIMES = [
    (-30 * DAY + HOUR, None),
    (-30 * DAY - HOUR, "timestamp is more than 30 days ago."),
    (DAY - HOUR, None),
    (DAY + HOUR, "timestamp is more than a day ahead; is it in the wrong unit or time zone?"),
    (0, None),
]


@pytest.mark.parametrize(("off", "says"), TIMES)
@pytest.mark.parametrize("form", ["milliseconds", "float", "iso", "offset", "without offset"])
def test_a_timestamp_lies_at_most_30_days_back_and_one_ahead(inside, off, says, form):
    at = (clock.now() + off) // 1_000 * 1_000
    iso = clock.iso(at)
    given = {
        "milliseconds": at,
        "float": float(at),
        "iso": iso,
        "offset": clock.iso(at + 2 * HOUR).replace("Z", "+02:00"),
        "without offset": iso.rstrip("Z"),
    }[form]
    answer = inside.post({"items": [event(timestamp=given)]}).json()
    assert [one["error"] for one in answer["rejected"]] == ([says] if says else [])
    if not says:
        assert inside.rows("SELECT timestamp FROM store_event") == [(at,)]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("1700000000", "in milliseconds since 1970; this looks like seconds."),
        ("0", "in milliseconds since 1970; this looks like seconds."),
        ("-1.5", "in milliseconds since 1970; this looks like seconds."),
        ("1" + "0" * 30, "more than a day ahead"),
        ("1" + "0" * 400, "more than a day ahead"),
        ("-1" + "0" * 400, "more than 30 days ago"),
        ("1e300", "more than a day ahead"),
        ('"yesterday"', "'yesterday' is not an ISO 8601 time such as 2026-11-23T17:00:00Z."),
        ('""', "'' is not an ISO 8601 time"),
        ('"2026-13-01"', "is not an ISO 8601 time"),
        ('"0001-01-01T00:00:00+23:59"', "more than 30 days ago"),
        ('"9999-12-31T23:59:59-23:59"', "more than a day ahead"),
        ("true", "timestamp must be an ISO 8601 time or milliseconds since 1970, not true."),
        ("{}", "timestamp must be an ISO 8601 time or milliseconds since 1970, not {}."),
    ],
)
def test_what_is_no_timestamp_is_told(inside, given, says):
    answer = inside.post(
        b'{"items": [' + GOOD + b', {"user": "u", "name": "n", "timestamp": ' + given.encode() + b"}]}"
    )
    assert answer.status == 202 and says in answer.json()["rejected"][0]["error"], answer.body


def test_without_a_timestamp_it_happened_now(inside):
    before = clock.now()
    inside.event("u", "n", timestamp=None)
    ((at, received),) = inside.rows("SELECT timestamp, received_at FROM store_event")
    assert before <= at <= received <= clock.now()

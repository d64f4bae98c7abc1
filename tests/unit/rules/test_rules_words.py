"""The small words of rules: durations, paths, and the name that somebody probably meant."""

import pytest

from oncue.core.event import Event, User
from oncue.rules.comparing import contains, equal, order
from oncue.rules.duration import LONGEST, seconds
from oncue.rules.names import nearest, there_is_no
from oncue.rules.paths import MISSING, Path, parse_path, scope_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1s", 1),
        ("90s", 90),
        ("30m", 1_800),
        ("4h", 14_400),
        ("2d", 172_800),
        (" 30 m ", 1_800),
        ("30d", LONGEST),
        ("0090s", 90),
    ],
)
def test_a_duration(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text", ["", "s", "10", "0s", "-1s", "1.5h", "4H", "1w", "31d", "2592001s", "1h30m", "soon", "9" * 400 + "s"]
)
def test_what_is_no_duration_is_said_in_a_sentence(text):
    with pytest.raises(ValueError, match=r"^must be a duration such as 90s, 30m, 4h or 2d, from 1s to 30d, not '"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("event.amount", ("amount",)),
        ("event.$name", ("$name",)),
        ("user.a-b_c.d2", ("a-b_c", "d2")),
        ('event["a name"].b', ("a name", "b")),
        ("event['it\\'s'][ 3 ]", ("it's", 3)),
        ('event["x"]["$id"]', ("x", "$id")),
        ("event.lines[0].sku", ("lines", 0, "sku")),
        (" event.amount ", ("amount",)),
    ],
)
def test_a_path(text, steps):
    path = parse_path(text)
    assert isinstance(path, Path) and (path.root, path.steps) == (text.strip().split(".")[0].split("[")[0], steps)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "event",
        "user",
        "event.",
        "event..a",
        "event.1a",
        "event[a]",
        'event["a]',
        "events.a",
        "eventx",
        "event.a b",
        "event.$x",
        "event[-1]",
    ],
)
def test_what_is_no_path_is_said_in_a_sentence(text):
    wrong = parse_path(text)
    assert isinstance(wrong, str) and len(wrong) > 20


def test_looking_up_never_raises_and_null_is_missing():
    scope = {"event": {"a": {"b": [1, {"c": None}], "1": "one"}, "n": 5, "t": "text", "f": False, "z": ""}, "user": {}}
    seen = {text: parse_path(text).look_up(scope) for text in ("event.a.b[0]", "event.a[1]", "event.f", "event.z")}
    assert seen == {"event.a.b[0]": 1, "event.a[1]": "one", "event.f": False, "event.z": ""}
    for text in (
        "event.a.b[1].c",
        "event.a.b[2]",
        "event.a.b.c",
        "event.n.x",
        "event.n[0]",
        "event.t[0]",
        "event.t.x",
        "user.x",
    ):
        assert parse_path(text).look_up(scope) is MISSING, text


def test_the_envelope_hides_no_property_and_no_property_hides_it():
    properties = {"name": "n", "id": 7, "$name": "forged", "$source": "forged"}
    event = Event(id="e1", user="u1", name="booked", properties=properties, timestamp=0, source="shop")
    scope = scope_of(event, User(id="u1", properties={"id": "x", "$id": "forged"}))
    assert scope == {
        "event": {
            "name": "n",
            "id": 7,
            "$name": "booked",
            "$id": "e1",
            "$timestamp": "1970-01-01T00:00:00.000Z",
            "$source": "shop",
        },
        "user": {"id": "x", "$id": "u1"},
    }


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("triger", "There is no field 'triger'; did you mean 'trigger'?"),
        ("zzz", "There is no field 'zzz'; there are: key, trigger."),
        ("", "There is no field ''; there are: key, trigger."),
    ],
)
def test_the_nearest_name_is_offered_or_what_there_is(name, sentence):
    assert there_is_no("field", name, ["trigger", "key"]) == sentence


def test_many_names_are_not_all_listed():
    assert there_is_no("thing", "x", []) == "There is no thing 'x'."
    assert there_is_no("thing", "x", [f"name-{i}" for i in range(21)]).endswith(", ….")
    assert nearest("x", []) is None


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    [
        ("100.50", 100, 1),
        ("9", "10", -1),
        ("9a", "10", 1),
        (" 5 ", 5, 0),
        (1e3, "1000", 0),
        ("2026-03-01", "2026-03-01T00:00:00Z", 0),
        ("2026-03-01T10:00:00+02:00", "2026-03-01T09:00:00Z", -1),
        ("2026-02-30", "2026-03-01", -1),
        ("abc", 5, None),
        (True, False, None),
        (True, 1, None),
        ([1], [0], None),
        ({}, {}, None),
    ],
)
def test_order(left, right, answer):
    assert order(left, right) == answer
    assert order(right, left) == (None if answer is None else -answer)


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    [
        ("10.0", 10, True),
        ("10.0", "10", False),
        (True, "true", True),
        (True, 1, False),
        (False, 0, False),
        ("2026-03-01T10:00:00Z", "2026-03-01T12:00:00+02:00", True),
        ([1, "a"], [1, "a"], True),
        ([1], 1, False),
        ({"a": 1}, {"a": 1}, True),
        (None, None, False),
        (None, "", False),
        ("9" * 5_000, 5, False),
    ],
)
def test_equality(left, right, answer):
    assert equal(left, right) is equal(right, left) is answer


def test_contains_is_asked_of_texts_lists_and_maps():
    assert (
        contains("12345", 34) and contains(12_345, "34") and contains({"a": None}, "a") and contains([None, "10"], 10)
    )
    assert not contains({"a": "b"}, "b") and not contains([], "a") and not contains(["abc"], "b")

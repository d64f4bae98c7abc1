"""Conditions: every operator on event and user, values compared as people expect, and a trace of what was seen."""

import pytest

from oncue.core.fields import Fault
from oncue.rules.conditions import MOST_DEPTH, OPERATORS, parse, to_text
from oncue.rules.spec import Seen

SCOPE = {
    "event": {
        "amount": 100.5,
        "count": 10,
        "price": "100.50",
        "zero": 0,
        "empty": "",
        "nothing": None,
        "paid": True,
        "free": False,
        "tags": ["new", None, 7, True],
        "nobody": [None],
        "basket": {"sku": "A-1", "lines": [{"n": 2}]},
        "a name with spaces": "x y",
        'a "quoted" name': "q",
        "at": "2026-03-01T10:00:00Z",
        "later": "2026-03-01T12:30:00+02:00",
        "day": "2026-03-02",
        "text": "Hello, wörld 😀",
        "name": "a property called name",
        "not_a_number": "nan",
        "long": "a" * 20_000,
        "$name": "paid",
        "$id": "e1",
        "$timestamp": "2026-03-01T10:00:00.000Z",
    },
    "user": {"country": "IE", "name": "Ann", "limit": 50, "countries": ["IE", "GB"], "$id": "u1"},
}


def seen_of(given) -> Seen:
    condition = parse(given)
    assert not isinstance(condition, list), condition
    return condition(SCOPE)


def faults_of(given) -> list[str]:
    found = parse(given, "conditions[0]")
    assert isinstance(found, list), "it was accepted"
    assert all(isinstance(fault, Fault) and fault.field.startswith("conditions[0]") for fault in found)
    return [fault.sentence for fault in found]


HOLD = [
    # numbers as numbers, also when they came as text
    "event.amount >= 10",
    "event.amount == 100.5",
    "event.price > 100",
    "event.price == 100.5",
    "event.price != 100",
    "event.price < 1e3",
    "event.count < 10.5",
    'event.count == "10"',
    'event.count == "10.0"',
    'event.count > "9"',
    "event.count >= 10",
    "event.count <= 10",
    "event.zero == 0",
    "event.zero > -1",
    "event.zero < +.5",
    "event.amount > user.limit",
    # booleans
    "event.paid == true",
    "event.free == false",
    "event.free != true",
    'event.paid == "true"',
    # texts
    'user.country == "IE"',
    "user.country == 'IE'",
    'user.country != "ie"',
    'user.country < "IF"',
    'event.empty == ""',
    "event.text starts_with 'Hello'",
    'event.text ends_with "😀"',
    "event.text contains ', wör'",
    r'user.name != "A\"nn"',
    "event.count starts_with 1",
    # times as instants
    "event.at < event.day",
    'event.later == "2026-03-01T10:30:00Z"',
    "event.later > event.at",
    'event.$timestamp == "2026-03-01T10:00:00+00:00"',
    # lists and maps
    'event.tags contains "new"',
    "event.tags contains 7",
    'event.tags contains "7"',
    "event.tags contains true",
    'event.basket contains "sku"',
    'user.country in ["IE", "GB"]',
    "event.count in [1, 10]",
    'event.count in ["10"]',
    "event.paid in [false, true]",
    "user.country in user.countries",
    "user.country in ['GB','IE',]",
    # paths
    'event["a name with spaces"] == "x y"',
    "event['a name with spaces'] exists",
    r'event["a \"quoted\" name"] == "q"',
    'event.basket.sku == "A-1"',
    "event.basket.lines[0].n == 2",
    'event.$name == "paid"',
    'event.name == "a property called name"',
    'user.$id == "u1"',
    'event.$id == "e1"',
    # exists
    "event.zero exists",
    "event.empty exists",
    "event.free exists",
    "  event.amount   exists  ",
    # matches: anywhere in the text unless anchored
    'event.basket.sku matches "^A-[0-9]+$"',
    'event.text matches "(?i)HELLO"',
    'event.count matches "^10$"',
    r"event.price matches '^\\d+\\.\\d+$'",
]

DO_NOT_HOLD = [
    "event.amount < 10",
    "event.price > 100.5",
    "event.count > 9.5e3",
    "event.paid == 1",
    "event.paid > 0",
    "event.paid == false",
    'user.country == "ie"',
    "user.country > 5",
    "user.country == 5",
    'event.text contains "hello"',
    'event.text starts_with "wörld"',
    'event.text ends_with "Hello"',
    "event.tags > 1",
    'event.tags contains "ne"',
    'event.tags contains "absent"',
    'event.nobody contains "null"',
    'event.basket contains "A-1"',
    "user.name in user.countries",
    'user.name in ["ann"]',
    "user.country in user.name",
    "event.not_a_number == 0",
    "event.not_a_number < 1",
    "event.at == event.day",
    'event.basket.sku matches "^B"',
    "event.nothing exists",
    "event.absent exists",
    "event.basket.absent.deeper exists",
    "event.basket.lines[7] exists",
    "event.amount.cents exists",
    "event.tags[1] exists",
]


@pytest.mark.parametrize("condition", HOLD)
def test_a_condition_that_holds(condition):
    assert seen_of(condition).held


@pytest.mark.parametrize("condition", DO_NOT_HOLD)
def test_a_condition_that_does_not_hold(condition):
    assert not seen_of(condition).held


@pytest.mark.parametrize("operator", [one for one in OPERATORS if one != "exists"])
@pytest.mark.parametrize("path", ["event.absent", "event.nothing", 'user["absent"]', "event.basket.lines[9].n"])
def test_a_missing_value_is_no_error_and_never_holds_whichever_way_it_is_asked(path, operator):
    value = '["a"]' if operator == "in" else '"a"'
    seen = seen_of(f"{path} {operator} {value}")
    assert not seen.held and seen.missing and to_text(seen) == "missing"
    assert seen_of({"not": f"{path} {operator} {value}"}).held


def test_a_missing_value_on_the_right_does_not_hold_either_and_is_shown():
    for operator in ("==", "!=", "<", "in", "contains"):
        seen = seen_of(f"event.amount {operator} user.absent")
        assert not seen.held and seen.missing


def test_not_exists_asks_for_a_missing_value():
    assert seen_of({"not": "event.absent exists"}).held
    assert not seen_of({"not": "event.amount exists"}).held


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ({"all": ["event.count == 10", "event.paid == true"]}, True),
        ({"all": ["event.count == 10", "event.paid == false"]}, False),
        ({"any": ["event.count == 11", "event.paid == true"]}, True),
        ({"any": ["event.count == 11", "event.paid == false"]}, False),
        ({"not": {"any": ["event.count == 11", "event.absent exists"]}}, True),
        ({"not": {"not": "event.paid == true"}}, True),
        ({"any": [{"all": ["event.count == 11", "event.paid == true"]}, {"not": "user.absent exists"}]}, True),
        ({"all": [{"any": ["event.count == 11", {"not": "event.paid == true"}]}, "event.count == 10"]}, False),
    ],
)
def test_all_any_and_not_nest(given, held):
    assert seen_of(given).held is held


def test_each_condition_leaves_its_text_the_value_it_saw_and_whether_it_held():
    assert seen_of("event.amount >= 10") == Seen(condition="event.amount >= 10", held=True, seen=100.5)
    assert seen_of("user.country == 'GB'") == Seen(condition="user.country == 'GB'", held=False, seen="IE")
    assert seen_of("event.absent != 1") == Seen(condition="event.absent != 1", held=False, missing=True)
    assert to_text(seen_of("user.country == 'GB'")) == '"IE"'
    assert to_text(seen_of("event.basket exists")) == '{"sku":"A-1","lines":[{"n":2}]}'


def test_a_nested_condition_shows_every_part_even_those_that_could_not_change_it():
    seen = seen_of({"any": ["event.paid == true", {"not": "event.count == 11"}, "event.absent exists"]})
    assert (seen.condition, seen.held) == ("any", True)
    assert [(part.condition, part.held) for part in seen.parts] == [
        ("event.paid == true", True),
        ("not", True),
        ("event.absent exists", False),
    ]
    assert seen.parts[1].parts == (Seen(condition="event.count == 11", held=False, seen=10),)


CATASTROPHIC = ["(a+)+$", "(a|a)*b", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*a){20}b"]


@pytest.mark.timeout(10)  # a backtracking engine needs longer than the universe has been there
@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_a_catastrophic_pattern_costs_nothing(pattern):
    condition = parse(f'event.long matches "{pattern}"')
    scope = {"event": {"long": "a" * 20_000 + "!"}, "user": {}}
    assert not condition(scope).held


FAULTS = [
    (r'event.a matches "("', "is not a regular expression that RE2 knows: missing ): ("),
    (r'event.a matches "(?<=b)a"', "is not a regular expression that RE2 knows: invalid perl operator"),
    (r'event.a matches "a{1001}"', "is not a regular expression that RE2 knows: "),
    ("event.a matches 5", "matches takes a regular expression in quotes."),
    ("event.a matches user.pattern", "matches takes a regular expression in quotes."),
    ("event.a = 1", "to compare, write == (two equals signs)."),
    ("event.a is 1", "there is no operator 'is'; there are ==, !=,"),
    ("event.a contain 1", "there is no operator 'contain'; did you mean contains?"),
    ("event.a startswith 'x'", "did you mean starts_with?"),
    ("event.a", "needs an operator after event.a: one of ==, !=,"),
    ("event.a ==", "something must come after ==."),
    ("event.a == IE", 'put quotes around text: "IE".'),
    ("event.a == null", "ask for a missing value with exists"),
    ("event.a == 1 and event.b == 2", "I do not understand 'and event.b == 2' after the value"),
    ("event.a exists now", "nothing comes after exists."),
    ('event.a in "IE"', 'in takes a list, such as ["IE", "GB"].'),
    ('event.a == ["IE"]', "== takes one value; for a list write in."),
    ('event.a in ["IE"', "the list is not closed with ]."),
    ("event.a in [", "the list is not closed with ]."),
    ('event.a in ["IE" "GB"]', "the list is not closed with ]."),
    ("event.a in [[1]]", "a list holds texts, numbers, true and false."),
    ("event.a in [user.b]", "a list holds texts, numbers, true and false."),
    ("evnt.a == 1", "There is no root 'evnt'; did you mean 'event'?"),
    ("amount >= 10", "There is no root 'amount'; there are: event, user. A path begins with event. or user."),
    ("event == 1", "'event' is a whole event, not a value of it; write event.some_property."),
    ("event.$nmae == 1", "There is no event field '$nmae'; did you mean '$name'?"),
    ("user.$name == 1", "There is no user field '$name'; there are: $id."),
    ("event.a == user.$name", "There is no user field '$name'"),
    ("event.a == user", "'user' is a whole user"),
    (">= 10", "is not a path; write event.amount"),
    ("", "is not a path; write event.amount"),
    ("event.a == '" + "x" * 2_000 + "'", "A condition is at most 2000 characters long."),
    (5, "A condition is a text such as event.amount >= 10, or a map with all, any or not."),
    (None, "A condition is a text such as event.amount >= 10, or a map with all, any or not."),
    (["event.a exists"], "A condition is a text such as event.amount >= 10, or a map with all, any or not."),
    ({}, "A nested condition has exactly one of all, any and not, not nothing."),
    ({"al": ["event.a exists"]}, "A nested condition has exactly one of all, any and not, not al."),
    ({"all": ["event.a exists"], "any": []}, "A nested condition has exactly one of all, any and not, not all, any."),
    ({"all": []}, "all takes a list of conditions, at least one."),
    ({"any": "event.a exists"}, "any takes a list of conditions, at least one."),
    ({"not": ["event.a exists"]}, "A condition is a text such as event.amount >= 10, or a map with all, any or not."),
]


@pytest.mark.parametrize(("given", "sentence"), FAULTS)
def test_what_is_wrong_is_said_in_a_sentence_when_the_rule_is_saved(given, sentence):
    (found,) = faults_of(given)
    assert sentence in found


def test_every_fault_of_a_nested_condition_is_found_and_each_names_its_place():
    given = {"all": ["event.a = 1", {"not": "evnt.a exists"}, {"any": ["event.a exists", "event.b is 1"]}]}
    assert [fault.field for fault in parse(given, "conditions[2]")] == [
        "conditions[2].all[0]",
        "conditions[2].all[1].not",
        "conditions[2].all[2].any[1]",
    ]


def test_nesting_is_bounded():
    given = "event.paid == true"
    for _ in range(MOST_DEPTH):
        given = {"not": given}
    assert seen_of(given).held
    assert faults_of({"not": given}) == [f"Conditions nest at most {MOST_DEPTH} deep."]

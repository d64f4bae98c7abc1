"""A rule that is opened in the builder and saved untouched is the same rule, whatever stands in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from examples import examples
from oncue.adaptors import load
from oncue.core.message import Category
from oncue.rules.conditions import OPERATORS
from oncue.rules.rows import AnyOf, Row, Text, to_conditions, to_lines
from oncue.rules.spec import ActionSpec, RuleSpec, RuleState
from oncue.web.rule_form import named, pairs, read, shown, spec_of, started

CATALOGUE = load()


class Query(dict[str, list[str]]):
    """What Django makes of a posted form, as far as it matters."""

    def __init__(self, given: list[tuple[str, str]]) -> None:
        super().__init__()
        for name, text in given:
            self.setdefault(name, []).append(text.replace("\r\n", "\n").replace("\n", "\r\n"))  # as browsers do

    def get(self, name: str, default: str = "") -> Any:  # type: ignore[override]
        return self[name][-1] if name in self else default

    def getlist(self, name: str) -> list[str]:
        return super().get(name, [])


def through_the_form(spec: RuleSpec) -> RuleSpec:
    return spec_of(read(Query(pairs(shown(spec, CATALOGUE)))), CATALOGUE)


TEXT = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
LINE = some.text(some.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12).filter(
    str.strip
)
PATH = some.sampled_from(
    ["event.amount", "user.country", 'event["a b"]', "event.$name", "user.$id", "event.items[0].sku"]
)
LITERAL = some.one_of(
    TEXT.map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'),
    some.sampled_from(
        ["10", "-1.5", ".5", "true", "event.x", 'user["a b"]', "'10'", '"true"', '"event.x"', '"a, b"', "'IE'", '""']
    ),
)
WRITTEN = some.one_of(
    TEXT,
    some.builds(
        lambda path, operator, value, space: f"{path}{space}{operator} {value}",
        PATH,
        some.sampled_from(OPERATORS),
        LITERAL,
        some.sampled_from([" ", "  ", ""]),
    ),
    some.builds(lambda path, values: f"{path} in [{', '.join(values)}]", PATH, some.lists(LITERAL, max_size=3)),
    PATH.map(lambda path: path + " exists"),
)
CONDITION = some.recursive(
    WRITTEN,
    lambda inner: some.one_of(
        some.lists(inner, max_size=3).map(lambda parts: {"any": parts}),
        some.lists(inner, max_size=2).map(lambda parts: {"all": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)
JSON = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(-(2**53), 2**53), TEXT),
    lambda inner: some.one_of(some.lists(inner, max_size=3), some.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)


@some.composite
def actions(draw: Any) -> ActionSpec:
    every = [(f"{one.name}.{action.name}", action) for one in CATALOGUE.values() for action in one.actions]
    name, action = draw(some.sampled_from(every))
    if draw(some.integers(0, 9)) == 0:
        return ActionSpec(action="gone.away", fields=draw(some.dictionaries(LINE, JSON, max_size=3)))
    fields = draw(some.lists(some.sampled_from(action.fields), unique_by=lambda field: field.name, max_size=6))
    return ActionSpec(action=name, fields={field.name: draw(some.one_of(TEXT, JSON)) for field in fields})


@some.composite
def rules(draw: Any) -> RuleSpec:
    return RuleSpec(
        key=draw(some.from_regex(r"[a-z0-9][a-z0-9_-]{0,10}", fullmatch=True)),
        name=draw(LINE),
        state=draw(some.sampled_from(RuleState)),
        category=draw(some.sampled_from(Category)),
        triggers=tuple(draw(some.lists(LINE, max_size=3))),
        conditions=tuple(draw(some.lists(CONDITION, max_size=3))),
        actions=tuple(draw(some.lists(actions(), max_size=2))),
        send_within=draw(some.sampled_from(["4h", "30m", "soon"])),
        ignore_quiet_hours=draw(some.booleans()),
    )


@settings(max_examples=examples(300))
@given(rules())
@example(
    RuleSpec(
        key="k",
        name="k",
        triggers=("t",),
        conditions=("event.amount >= 10", {"any": ['user.country in ["IE", "GB"]', {"not": "user.email exists"}]}),
        actions=(
            ActionSpec(
                action="twilio.send_message",
                fields={
                    "body": "\n Hi\r\n",
                    "to": " x ",
                    "media_urls": [" a ", "", "b\nc"],
                    "smart_encoded": True,
                    "x": 1,
                },
            ),
        ),
    )
)
def test_opened_and_saved_it_is_the_same_rule(spec: RuleSpec):
    assert through_the_form(spec) == spec


@settings(max_examples=examples(300))
@given(some.lists(CONDITION, max_size=4))
def test_conditions_become_rows_and_the_same_conditions_again(conditions: list[Any]):
    assert list(to_conditions(to_lines(conditions))) == conditions


@pytest.mark.parametrize(
    ("condition", "row"),
    [
        ("event.amount >= 10", ("event.amount", ">=", "10")),
        ('user.country in ["IE", "GB"]', ("user.country", "in", "IE, GB")),
        ({"not": 'user.country in ["IE"]'}, ("user.country", "not_in", "IE")),
        ('event["a b"] == "x"', ('event["a b"]', "==", "x")),
        ('event.x == "10"', ("event.x", "==", '"10"')),
        ("event.x == user.y", ("event.x", "==", "user.y")),
        ("user.email exists", ("user.email", "exists", "")),
        ({"not": "user.email exists"}, ("user.email", "absent", "")),
    ],
)
def test_what_a_row_shows(condition: Any, row: tuple[str, str, str]):
    (line,) = to_lines([condition])
    assert isinstance(line, Row)
    assert (line.path, line.operator, line.value) == row


@pytest.mark.parametrize(
    ("row", "condition"),
    [
        (("event.amount", ">=", " 10 "), "event.amount >= 10"),
        (("user.city", "==", 'St. John\'s "X"'), 'user.city == "St. John\'s \\"X\\""'),
        (("user.city", "==", "10:30"), 'user.city == "10:30"'),
        (("user.vip", "==", "true"), "user.vip == true"),
        (("user.country", "in", "IE, GB ,"), 'user.country in ["IE", "GB"]'),
        (("user.country", "in", '"a, b", 3'), 'user.country in ["a, b", 3]'),
        (("user.zip", "starts_with", "10"), 'user.zip starts_with "10"'),
        (("user.email", "absent", "left over"), {"not": "user.email exists"}),
        (("user.tags", "not_contains", "vip"), {"not": 'user.tags contains "vip"'}),
        (("event.amount", ">=", ""), "event.amount >="),
    ],
)
def test_what_is_typed_is_what_is_meant(row: tuple[str, str, str], condition: Any):
    assert to_conditions([Row(path=row[0], operator=row[1], value=row[2])]) == (condition,)


def test_a_changed_row_forgets_what_it_stood_for():
    (line,) = to_lines(["event.amount>=10"])
    assert isinstance(line, Row)
    assert to_conditions([line]) == ("event.amount>=10",)
    changed = Row(path=line.path, operator=line.operator, value="11", written=line.written)
    assert to_conditions([changed]) == ("event.amount >= 11",)


def test_what_nests_stays_as_text_and_groups_of_rows_are_groups():
    nested, group = to_lines([{"not": {"any": ["event.x == 1"]}}, {"any": ["event.x == 1", "user.y exists"]}])
    assert nested == Text(text='{"not":{"any":["event.x == 1"]}}')
    assert isinstance(group, AnyOf)
    assert [row.path for row in group.rows] == ["event.x", "user.y"]
    assert to_conditions([Text(text="any: [event.x == 1, user.y exists]")]) == (
        {"any": ["event.x == 1", "user.y exists"]},
    )


def test_a_fresh_action_begins_with_what_most_need():
    assert started("twilio.send_message", CATALOGUE).texts == {"to": "{{ user.phone_number }}"}


def test_a_key_is_made_of_the_name():
    assert named("Booking confirmed!", ()) == "booking-confirmed"
    assert named("Réservation", {"reservation"}) == "reservation-2"
    assert named("!!!", ()) == "rule"

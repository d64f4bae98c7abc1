"""The two actions that need no provider."""

import pytest

from oncue.adaptors import load
from oncue.adaptors.builtin import OWN_EVENTS, adaptors, event, user
from oncue.core import fields
from oncue.core.adaptor import Impossible, Prepared

UPDATE, EMIT = user.actions[0], event.actions[0]


def read(action, **given):
    values, faults = fields.read(action.fields, given)
    return values, [fault.field for fault in faults]


def test_they_are_always_there_and_need_no_configuration():
    assert {one.name: [action.name for action in one.actions] for one in adaptors} == {
        "user": ["update"],
        "event": ["emit"],
    }
    for one in adaptors:
        assert load()[one.name] is one and one.builtin and not one.config
        assert not one.actions[0].is_message and one.actions[0].send is None


@pytest.mark.parametrize(
    "properties", [{"plan": "gold", "visits": 3, "vip": True, "gone": None, "tags": ["a"]}, {"deep": {"a": [1]}}, {}]
)
@pytest.mark.parametrize(("action", "more"), [(UPDATE, {}), (EMIT, {"name": "loyalty_reached"})])
def test_properties_keep_their_types(action, more, properties):
    values, faults = read(action, properties=properties, **more)
    assert not faults and values["properties"] == properties
    prepared = action.prepare({}, values, {})
    assert isinstance(prepared, Prepared) and prepared.fields["properties"] == properties and prepared.recipient == ""


@pytest.mark.parametrize("properties", ["gold", ["a"], 7, True])
@pytest.mark.parametrize("action", [UPDATE, EMIT])
def test_properties_that_are_no_map_are_refused_with_a_sentence(action, properties):
    found = action.prepare({}, {"name": "x", "properties": properties}, {})
    assert found == Impossible("properties", "Properties must be a map of names to values.")
    assert [fault.field for fault in action.check({}, {"properties": properties})] == ["properties"], (
        "and when the rule is saved"
    )
    for good in ({}, {"a": "{{ event.a }}"}, "{{ event.all }}"):
        assert not action.check({}, {"properties": good})


def test_what_is_required():
    assert read(UPDATE)[1] == ["properties"]
    assert read(EMIT, properties={})[1] == ["name"]
    assert read(EMIT, name="x") == ({"name": "x"}, [])


@pytest.mark.parametrize("name", ["loyalty_reached", "Order shipped", "messages.x", "予約", "x" * 200])
def test_an_event_may_have_any_name_of_one_line(name):
    assert read(EMIT, name=name) == ({"name": name}, [])


@pytest.mark.parametrize("name", ["oncue.opted_in", "message.expired", "rule.chain_cut", "a\nb", "a\0", "x" * 201, ""])
def test_names_that_oncue_raises_itself_are_refused(name):
    assert read(EMIT, name=name)[1] == ["name"]


def test_every_event_of_our_own_has_words_for_a_person_and_a_name_nobody_else_can_emit():
    for one in OWN_EVENTS:
        assert one.label and one.sentence.endswith(".")
        assert read(EMIT, name=one.name)[1] == ["name"]

"""The engine: (rule, event, user) → decision, with its reason; and rules indexed by event name."""

import logging

import msgspec
import pytest

from oncue.adaptors import load
from oncue.core.event import Event, User
from oncue.core.reasons import Reason
from oncue.rules.compile import Compiled, compile_rule
from oncue.rules.engine import RuleIndex, decide
from oncue.rules.spec import ActionSpec, RuleSpec, RuleState, Seen

BOOKED = Event(
    id="e1",
    user="u1",
    name="booking_confirmed",
    properties={"amount": 20, "pictures": ["https://a.example/1.png", "https://a.example/2.png"], "html": "<b>"},
    timestamp=1_800_000_000_000,
)
ANN = User(id="u1", properties={"first_name": "Ann", "phone_number": "+15005551001", "email": "ann@example.com"})


def compiled(*actions: dict, state: str = "on", conditions: tuple = (), triggers: tuple = ("booking_confirmed",)):
    specs = tuple(ActionSpec(action=fields.pop("action"), fields=fields) for fields in map(dict, actions))
    spec = RuleSpec(key="r", name="R", state=RuleState(state), triggers=triggers, conditions=conditions, actions=specs)
    made = compile_rule(spec, load())
    assert isinstance(made, Compiled), made
    return made


def text(body: str = "Hi", **fields):
    return {"action": "twilio.send_message", "to": "{{ user.phone_number }}", "body": body, **fields}


def planned(*actions: dict):
    return decide(compiled(*actions), BOOKED, ANN, contain=False).planned


@pytest.mark.parametrize(
    ("state", "test_user", "reason"),
    [
        ("off", None, Reason.RULE_OFF),
        ("off", True, Reason.RULE_OFF),
        ("test", None, Reason.NOT_TEST_USER),
        ("test", False, Reason.NOT_TEST_USER),
        ("test", "true", Reason.NOT_TEST_USER),
        ("test", True, Reason.ACTED),
        ("on", None, Reason.ACTED),
        ("on", True, Reason.ACTED),
    ],
)
def test_a_rule_in_test_acts_for_test_users_only_and_one_that_is_off_for_nobody(state, test_user, reason):
    user = User(id="u1", properties={**ANN.properties, "test_user": test_user})
    decision = decide(compiled(text(), state=state), BOOKED, user, contain=False)
    assert decision.reason is reason
    assert decision.acted is (reason is Reason.ACTED) is bool(decision.planned)


def test_every_condition_is_in_the_decision_with_the_value_it_saw():
    conditions = ("event.amount >= 10", "user.country == 'IE'", {"not": "user.first_name == 'Bob'"})
    decision = decide(compiled(text(), conditions=conditions), BOOKED, ANN, contain=False)
    assert (decision.rule, decision.acted, decision.reason, decision.planned) == ("r", False, Reason.CONDITIONS, ())
    assert decision.conditions == (
        Seen(condition="event.amount >= 10", held=True, seen=20),
        Seen(condition="user.country == 'IE'", held=False, missing=True),
        Seen(condition="not", held=True, parts=(Seen(condition="user.first_name == 'Bob'", held=False, seen="Ann"),)),
    )
    held = decide(compiled(text(), conditions=conditions[:1]), BOOKED, ANN, contain=False)
    assert (held.acted, held.reason, len(held.conditions)) == (True, Reason.ACTED, 1)


def test_the_envelope_and_the_properties_are_in_scope():
    (plan,) = planned(
        text("{{ event.$name }} {{ event.$id }} {{ event.$timestamp }} {{ user.$id }} {{ event.amount }}")
    )
    assert plan.fields["body"] == "booking_confirmed e1 2027-01-15T08:00:00.000Z u1 20"


def test_several_actions_are_planned_and_a_missing_value_stops_only_its_own():
    plans = planned(
        text("Hi {{ user.first_name }}"),
        text("Hi {{ user.last_name }},"),
        text("Hi {{ user.last_name | default: 'there' }}"),
        {"action": "email.send", "to": "{{ user.email }}", "subject": "S", "text": "T"},
    )
    assert [(plan.action, plan.index, plan.problem) for plan in plans] == [
        ("twilio.send_message", 0, None),
        ("twilio.send_message", 1, Reason.MISSING_VALUE),
        ("twilio.send_message", 2, None),
        ("email.send", 3, None),
    ]
    assert plans[1].field == "body"
    assert plans[1].sentence == "Message Body: user.last_name has no value, and the template gives no default."
    assert plans[2].fields == {"to": "+15005551001", "body": "Hi there"}


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"body": "{{ event.amount | divided_by: 0 }}"}, "body", "Message Body: divided_by: can't divide by 0."),
        (
            {"body": "{% for i in (1..1600) %}ab{% endfor %}"},
            "body",
            "Message Body is 3200 characters long; the limit is 1600.",
        ),
        (
            {"validity_period": "{{ user.first_name }}"},
            "validity_period",
            "Validity period must be a whole number, not 'Ann'.",
        ),
        (
            {"validity_period": "{{ event.amount | times: 5000 }}"},
            "validity_period",
            "Validity period must be from 5 to 36000, not 100000.",
        ),
        ({"smart_encoded": "{{ event.amount }}"}, "smart_encoded", "Smart encoding must be true or false, not '20'."),
        ({"body": "{{ event.pictures }}"}, "body", "Message Body must be a text, not a list."),
        ({"to": "{{ user.nobody | default: '' }}"}, "to", "Message Recipient Phone Number is required."),
    ],
)
def test_a_field_that_does_not_come_out_right_is_a_reason(fields, field, sentence):
    (plan,) = planned(text(**fields))
    assert (plan.problem, plan.field, plan.sentence) == (Reason.INVALID_FIELD, field, sentence)


def test_a_list_property_fills_media_urls():
    (whole,) = planned(text(media_urls="{{ event.pictures }}"))
    assert whole.fields["media_urls"] == ["https://a.example/1.png", "https://a.example/2.png"]
    (spread,) = planned(
        text(media_urls=["https://a.example/0.png", "{{ event.pictures }}", "{{ event.no | default: '' }}"])
    )
    assert spread.fields["media_urls"] == ["https://a.example/0.png", *whole.fields["media_urls"]]


def test_html_is_escaped_and_text_is_not():
    (plan,) = planned(
        {
            "action": "email.send",
            "to": "a@example.com",
            "subject": "S",
            "html": "<i>{{ event.html }}</i>",
            "text": "{{ event.html }}",
        }
    )
    assert (plan.fields["html"], plan.fields["text"]) == ("<i>&lt;b&gt;</i>", "<b>")


@pytest.mark.parametrize(
    ("body", "rendered"),
    [
        ({"a": "{{ event.amount }}", "b": "n={{ event.amount }}"}, {"a": 20, "b": "n=20"}),
        ({"a": {"b": ["{{ user.first_name }}", 1, None, True, ""]}}, {"a": {"b": ["Ann", 1, None, True, ""]}}),
        ({"a": [[1, 2], ["{{ event.amount }}", 3]]}, {"a": [[1, 2], [20, 3]]}),
        ({"a": ["first", "{{ event.pictures }}"]}, {"a": ["first", *BOOKED.properties["pictures"]]}),
        ({"a": "{{ user.no | default: '' }}"}, {"a": ""}),
        ({"{{ event.amount }}": 1}, {"{{ event.amount }}": 1}),
        ("{{ event.pictures }}", BOOKED.properties["pictures"]),
    ],
)
def test_a_json_body_is_rendered_leaf_by_leaf(body, rendered):
    (plan,) = planned({"action": "webhook.request", "url": "https://a.example/", "json": body})
    assert plan.fields["json"] == rendered
    assert plan.fields["method"] == "POST", "a default fills a field that is not written"


def test_a_missing_leaf_stops_the_request():
    (plan,) = planned(
        {"action": "webhook.request", "url": "https://a.example/", "json": {"a": [{"b": "{{ user.no }}"}]}}
    )
    assert (plan.problem, plan.field) == (Reason.MISSING_VALUE, "json")


def broken() -> Compiled:
    def fault(scope):
        raise ZeroDivisionError("ours")

    return msgspec.structs.replace(compiled(text()), conditions=(fault,))


@pytest.mark.faults
def test_a_fault_of_ours_in_one_rule_is_contained_and_logged(caplog):
    decision = decide(broken(), BOOKED, ANN)
    assert (decision.acted, decision.reason) == (False, Reason.RULE_FAULT)
    assert (
        decision.sentence
        == "The rule could not be evaluated; this is a fault in oncue or in the rule. (ZeroDivisionError)"
    )
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info and "rule r" in record.getMessage() and "e1" in record.getMessage()
    assert decide(compiled(text()), BOOKED, ANN).acted


def test_and_is_loud_where_it_is_not_contained():
    with pytest.raises(ZeroDivisionError):
        decide(broken(), BOOKED, ANN, contain=False)


def test_deciding_changes_neither_event_nor_user():
    before = msgspec.json.encode((BOOKED, ANN))
    first = decide(compiled(text("{% assign user = 1 %}{{ event.amount }}")), BOOKED, ANN, contain=False)
    assert msgspec.json.encode((BOOKED, ANN)) == before
    assert decide(compiled(text("{% assign user = 1 %}{{ event.amount }}")), BOOKED, ANN, contain=False) == first


def test_ten_thousand_rules_cost_an_event_no_more_than_those_it_triggers():
    one = compiled(text())

    def named(key: str, *triggers: str) -> Compiled:
        return msgspec.structs.replace(one, spec=msgspec.structs.replace(one.spec, key=key, triggers=triggers))

    rules = [named(f"r{i}", f"event_{i % 2_000}", f"event_{i % 2_000}") for i in range(10_000)]
    rules[7:7] = [named("first", "booking_confirmed", "event_3"), named("second", "other", "booking_confirmed")]
    index = RuleIndex(rules)
    considered = [rule.spec.key for rule in index.triggered_by("booking_confirmed")]
    assert considered == ["first", "second"]
    assert [rule.spec.key for rule in index.triggered_by("event_3")] == [
        "r3",
        "first",
        "r2003",
        "r4003",
        "r6003",
        "r8003",
    ]
    assert not index.triggered_by("never_seen") and not index.triggered_by("event_")
    assert not RuleIndex([]).triggered_by("booking_confirmed")

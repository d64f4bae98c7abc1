"""Export: the file that is written reads back as the same document, whatever stands in it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from examples import examples
from oncue.adaptors import load
from oncue.core.message import Category
from oncue.rules.document import AdaptorSpec, ApiKeySpec, Document, read_document, write_document
from oncue.rules.spec import ActionSpec, RuleSpec, RuleState


def read_back(document: Document) -> Document:
    written = write_document(document)
    found, faults = read_document(written, "export.yaml", load(), {})
    assert not faults, (written, [str(fault) for fault in faults])
    return found


def emit(properties, **fields) -> RuleSpec:
    action = ActionSpec(action="event.emit", fields={"name": "x", "properties": properties})
    return RuleSpec(**{"key": "k", "name": "k", "triggers": ("t",), "actions": (action,), **fields})


def test_a_whole_document_reads_back():
    text = {
        "body": "Hi {{ user.first_name | default: 'there' }},\n\n  see you\n",
        "to": "+15005550006",
        "validity_period": "600",
    }
    document = Document(
        api_keys=[ApiKeySpec(name="shop", key="0" * 20), ApiKeySpec(name="2", key="1e10" * 5, per_second=2.5)],
        adaptors={
            "email": AdaptorSpec(
                values={"smtp_url": "smtp://u:p@h:25", "from": "Shop <a@b.example>", "messages_per_second": 0.0}
            ),
            "webhook": AdaptorSpec(
                state="inactive", values={"allow_private_addresses": True, "messages_per_second": 1.5}
            ),
        },
        rules=[
            RuleSpec(
                key="booking",
                name="Booking: confirmed # now",
                state=RuleState.ON,
                category=Category.PROMOTIONAL,
                triggers=("booked", "on", "10:30"),
                conditions=(
                    "event.x >= 1",
                    {"any": ['user.c in ["a"]', {"not": "user.n exists"}]},
                    {"all": ["event.x exists"]},
                ),
                actions=(
                    ActionSpec(
                        action="twilio.send_message",
                        fields={**text, "media_urls": ["https://a.example/1", "{{ event.p }}"]},
                    ),
                    ActionSpec(
                        action="webhook.request",
                        fields={"url": "https://a.example/", "headers": {"X-A": "yes"}, "form": {"a": "1"}},
                    ),
                ),
                send_within="30m",
            ),
            emit(
                {"a": [1, 1.5, True, None, "1", "true", "", [[]], {}], "b c": {"on": "{{ event.x }}"}},
                key="other",
                state=RuleState.TEST,
            ),
        ],
    )
    found = read_back(document)
    assert (found.api_keys, found.adaptors, found.rules) == (document.api_keys, document.adaptors, document.rules)
    assert write_document(found) == write_document(document)


def test_nothing_said_is_not_nothing_left():
    assert read_back(Document()).rules is None
    assert read_back(Document(rules=[])).rules == []


def unlike_a_template(text: str) -> bool:
    return not any(mark in text for mark in ("{{", "{%", "${env:"))


TEXTS = some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12).filter(
    unlike_a_template
)
WRITTEN = TEXTS | some.sampled_from(
    ["1.5e3", "1e5", "-0", "0x1F", "on", "null", "~", "=", "<<", "2026-03-01", "+1500", " a", "a ", "\n", " \n a\n\n", "a: b", "# a", "---",
     "...", "- a", "\t", "\x85a", "a\u2028b", "\ufeff", "\r\n", "'", '"', "\\", "!!int 5", "&a", "*a", "%", "@", "`", "|", ">", "?", "x" * 200]
)  # fmt: skip
JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(10**18) + 1, 10**18 - 1)
    | some.floats(allow_nan=False, allow_infinity=False)
    | WRITTEN,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(WRITTEN.filter(bool), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=examples(120))
@given(some.dictionaries(WRITTEN.filter(bool), JSON, min_size=1, max_size=4))
@example({"a": "1.5e3"})
@example({"a": "x\x85y"})
@example({"a": "x\n\x85y\n"})
def test_a_json_body_keeps_every_type(body):
    rule = emit(body)
    assert repr(read_back(Document(rules=[rule])).rules) == repr([rule]), "with types: 1 is not True and not 1.0"


@settings(max_examples=examples(80))
@given(
    WRITTEN.filter(lambda text: text.strip()),
    some.lists(WRITTEN.filter(lambda text: text.strip()), min_size=1, max_size=3),
    WRITTEN.filter(bool),
    some.sampled_from(RuleState),
    some.sampled_from(Category),
    some.lists(
        some.sampled_from(["event.x == 'a: b'", {"not": "user.x exists"}, {"all": [{"any": ["event.a < 1"]}]}]),
        max_size=3,
    ),
)
def test_a_rule_reads_back_whatever_its_texts(name, triggers, body, state, category, conditions):
    rule = RuleSpec(
        key="k",
        name=name,
        state=state,
        category=category,
        triggers=tuple(triggers),
        conditions=tuple(conditions),
        actions=(ActionSpec(action="twilio.send_message", fields={"to": "+15005550006", "body": body}),),
    )
    assert read_back(Document(rules=[rule])).rules == [rule]


@pytest.mark.parametrize("text", ["a\nb", "a\n", "\n\na", "  a\n b"])
def test_a_text_of_several_lines_is_readable_in_the_file(text):
    rule = emit({"a": text})
    assert read_back(Document(rules=[rule])).rules == [rule]
    assert "\\n" not in write_document(Document(rules=[emit({"a": "a\nb"})]))

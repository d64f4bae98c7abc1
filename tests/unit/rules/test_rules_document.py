"""The rules file: every scalar typed by the field it fills, and every fault at once with file, line and remedy."""

import pytest

from oncue.adaptors import load
from oncue.core.message import Category
from oncue.rules.document import AdaptorSpec, ApiKeySpec, read_document
from oncue.rules.spec import RuleState

ENVIRON = {"SHOP_KEY": "k" * 20, "SMTP_URL": "smtp://user:pass@localhost:1025", "ZERO": ""}


def read(text: str):
    document, faults = read_document(text, "rules.yaml", load(), ENVIRON)
    assert not faults, [str(fault) for fault in faults]
    return document


def faults_of(text: str) -> list[str]:
    _, faults = read_document(text, "rules.yaml", load(), ENVIRON)
    assert all(fault.file == "rules.yaml" and fault.sentence.endswith((".", "?")) for fault in faults)
    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)
    return [str(fault).removeprefix("rules.yaml:") for fault in faults]


def rule(**lines: str) -> str:
    """A good rule of one line a field, with some of its lines replaced, added or (None) left out; `key` stands on line 2."""
    good = {"key": "a", "category": "transactional", "triggers": "[booked]", "actions": "[" + TEXT + "]"}
    written = [f"{name}: {value}" for name, value in {**good, **lines}.items() if value is not None]
    return "rules:\n  - " + "\n    ".join(written) + "\n"


TEXT = "{action: twilio.send_message, to: '{{ user.phone_number }}', body: Hi}"


def test_a_whole_file():
    document = read(
        """
api_keys:
  - {name: shop-server, key: "${env:SHOP_KEY}"}
  - {name: slow, key: 01234567890123456789, per_second: 2.5}
adaptors:
  email: {smtp_url: "${env:SMTP_URL}", from: "Shop <shop@example.com>"}
  webhook: {state: inactive, allow_private_addresses: on}
rules:
  - key: booking-confirmation
    name: Booking confirmation
    state: on
    category: promotional
    triggers: [booking_confirmed, Booking changed]
    send_within: 30m
    conditions:
      - event.amount >= 10
      - {any: ['user.country in ["IE", "GB"]', {not: event.x exists}]}
    actions:
      - action: twilio.send_message
        body: "Hi {{ user.first_name | default: 'there' }}"
        to: +15005550006
        validity_period: 600
      - {action: webhook.request, url: https://a.example/, json: {a: 1, b: "1", c: [true, null, 1.5, yes, 0123]}}
""".replace("0x10", "600")
    )
    assert document.api_keys == [
        ApiKeySpec(name="shop-server", key="k" * 20),
        ApiKeySpec(name="slow", key="01234567890123456789", per_second=2.5),
    ]
    assert document.adaptors["email"].values["smtp_url"] == "smtp://user:pass@localhost:1025"
    assert document.adaptors["webhook"] == AdaptorSpec(
        state="inactive", values={"allow_private_addresses": True, "messages_per_second": 0}
    )
    (spec,) = document.rules
    assert (spec.state, spec.category, spec.send_within) == (RuleState.ON, Category.PROMOTIONAL, "30m")
    assert spec.triggers == ("booking_confirmed", "Booking changed")
    assert spec.conditions[1] == {"any": ['user.country in ["IE", "GB"]', {"not": "event.x exists"}]}
    assert spec.actions[0].fields["to"] == "+15005550006"
    assert spec.actions[1].fields["json"] == {"a": 1, "b": "1", "c": [True, None, 1.5, "yes", "0123"]}


SCALARS = [
    "+15005550006",
    "on",
    "yes",
    "No",
    "10:30",
    "0123",
    "1_000",
    "0x1F",
    "1e3",
    "2026-03-01",
    "~",
    "null",
    "true",
    ".5",
    "=",
    "1.10",
]


@pytest.mark.parametrize("scalar", SCALARS)
def test_a_scalar_that_yaml_would_make_something_else_of_stays_text(scalar):
    (spec,) = read(rule(name=scalar, triggers=f"[{scalar}]", actions="[" + TEXT.replace("Hi", scalar) + "]")).rules
    assert (spec.name, spec.triggers, spec.actions[0].fields["body"]) == (scalar, (scalar,), scalar)


def test_defaults():
    (spec,) = read(rule(key="my-rule", triggers="booked")).rules
    assert (spec.name, spec.state, spec.send_within, spec.triggers) == ("my-rule", RuleState.OFF, "4h", ("booked",))
    (spec,) = read(rule(category=None, actions="[{action: event.emit, name: x}]")).rules
    assert spec.category is Category.TRANSACTIONAL, "a rule that messages nobody needs no category"


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "{}", "\ufeff"])
def test_an_empty_file_says_nothing(text):
    document = read(text)
    assert (document.api_keys, document.adaptors, document.rules) == ([], {}, None)


def test_a_section_that_is_there_and_empty_is_not_one_that_is_absent():
    assert read("rules: []").rules == []
    assert read("adaptors: {}").rules is None


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_a_byte_order_mark_and_windows_line_ends_change_nothing(change):
    assert read(change(rule(name="N"))).rules == read(rule(name="N")).rules


def test_anchors_and_aliases_are_followed_and_tags_mean_nothing():
    actions = (
        "[&text " + TEXT + ", *text, {action: event.emit, name: !!int '5', properties: {a: !!python/name:os.system x}}]"
    )
    (spec,) = read(rule(actions=actions)).rules
    assert spec.actions[0] == spec.actions[1]
    assert spec.actions[2].fields == {"name": "5", "properties": {"a": "x"}}


HOLDS = "it holds the character U+{}; take it out."
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
NOT_YAML = [
    ("rules:\n\t- key: a", "2: This is not YAML: found character '\\t' that cannot start any token."),
    ("rules: [\n", "2: This is not YAML: "),
    ("rules: 'a\n\n", "3: This is not YAML: found unexpected end of stream."),
    ("rules: []\n---\nrules: []", "2: This is not YAML: but found another document."),
    ("rules: *nobody", "1: This is not YAML: found undefined alias 'nobody'."),
    ("rules:\n  - key: a\x00", "2: This is not YAML: " + HOLDS.format("0000")),
    ("rules:\n  - key: a\n    name: \x07", "3: This is not YAML: " + HOLDS.format("0007")),
    ("rules: []\nrules: []", "2: 'rules' stands here twice; keep one of them."),
    ("rules:\n  - key: a\n    key: b", "3: 'key' stands here twice; keep one of them."),
    ("? [a]\n: b", "1: A name must be a text."),
    ('rules:\n  - name: "a\\0b"', "2: A text cannot hold the character U+0000; take it out."),
    ('rules:\n  - name: "\\uD800"', "2: A text cannot hold the character U+D800; take it out."),
    ('rules:\n  - "n\\0": b', "2: A text cannot hold the character U+0000; take it out."),
    ("x: &x {a: 1}\nrules:\n  - <<: *x", "3: Merge keys (<<) are not followed; write the lines out."),
    ("rules: &r [*r]", "1: This nests too deep."),
    ("rules: " + "[" * 600 + "]" * 600, "1: This nests too deep."),
    (BOMB, "1: This is not YAML: it has more than 200000 parts once its aliases are followed."),
    (
        f"a: &a {'x' * 200_000}\nb: [{','.join(['*a'] * 1_000)}]",
        "1: This is not YAML: it has more than 20000000 characters",
    ),
    ("~", "1: The file must be a map with api_keys, adaptors or rules."),
    ("[]", "1: The file must be a map with api_keys, adaptors or rules."),
    ("hello", "1: The file must be a map with api_keys, adaptors or rules."),
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("text", "fault"), NOT_YAML)
def test_what_is_no_yaml_or_too_much_of_it_is_said_in_a_sentence(text, fault):
    (found,) = faults_of(text)
    assert found.startswith(fault)


FAULTS = [
    (rule(key=None), "2: A rule needs a key of lower-case letters, digits, - and _, at most 64"),
    (rule(key="Not good"), "2: A rule needs a key of lower-case letters"),
    (rule(key="a" * 65), "2: A rule needs a key of lower-case letters"),
    (rule(key="[a]"), "2: A rule needs a key of lower-case letters"),
    (rule(trigers="[x]"), "6: There is no field of a rule 'trigers'; did you mean 'triggers'?"),
    (rule(state="enabled"), "6: It must be one of off, test, on, not 'enabled'."),
    (rule(category="marketing"), "3: It must be one of transactional, promotional, not 'marketing'."),
    (rule(category=None), "2: A rule that messages people needs a category: transactional, or promotional"),
    (rule(triggers="[]"), "4: A rule needs at least one trigger: the name of an event."),
    (rule(triggers=None), "2: A rule needs at least one trigger: the name of an event."),
    (rule(triggers="{booked: x}"), "4: This must be a list: one entry a line, each after a dash."),
    (rule(actions="[]"), "5: A rule needs at least one action."),
    (rule(actions="[" + ",".join([TEXT] * 21) + "]"), "5: A rule has at most 20 actions."),
    (rule(conditions="event.x exists"), "6: This must be a list: one entry a line, each after a dash."),
    (rule(conditions="[event.x is 1]"), "6: 'event.x is 1': there is no operator 'is'"),
    (rule(conditions="[" + ",".join(["event.x exists"] * 101) + "]"), "6: A rule has at most 100 conditions."),
    (rule(conditions="['event.x matches \"(\"']"), "6: 'event.x matches \"(\"': '(' is not a regular expression"),
    (rule(name="[a, b]"), "6: This must be a text, not a list; put quotes around it."),
    (
        rule(send_within="soon"),
        "6: send_within must be a duration such as 90s, 30m, 4h or 2d, from 1s to 30d, not 'soon'.",
    ),
    (rule(send_within="31d"), "6: send_within must be a duration"),
    (rule(actions="[send]"), "5: An action is a map with action, such as email.send, and its fields."),
    (
        rule(actions="[{action: twilio.send_mesage}]", category="promotional"),
        "5: There is no action 'twilio.send_mesage'; did you mean 'twilio.send_message'?",
    ),
    (
        rule(actions="[{action: email.send, to: a, subject: b, txt: c, text: d}]"),
        "5: There is no field of email.send 'txt'; did you mean 'text'?",
    ),
    (rule(actions="[{action: email.send, to: a, subject: b}]"), "5: An e-mail needs a text, an HTML body, or both."),
    (rule(actions="[{action: email.send, subject: b, text: c}]"), "5: to: To is required."),
    (
        rule(actions="[{action: twilio.send_message, to: a}]"),
        "5: body: A message needs content: a Message Body, a MediaURL",
    ),
    (
        rule(actions="[{action: twilio.send_message, to: a, body: '{{ usr.x }}'}]"),
        "5: body: There is no variable 'usr'; did you mean 'user'?",
    ),
    (
        rule(actions="[{action: twilio.send_message, to: a, body: '{% if x %}'}]"),
        "5: body: The template cannot be read: ",
    ),
    (
        rule(actions="[{action: twilio.send_message, to: a, body: [b, '{{ user.x }}']}]"),
        "5: body: Message Body must be a text, not a list.",
    ),
    (
        rule(actions="[{action: twilio.send_message, to: a, validity_period: long, body: b}]"),
        "5: validity_period: Validity period must be a whole number, not 'long'.",
    ),
    (
        rule(actions="[{action: twilio.send_message, to: a, smart_encoded: perhaps, body: b}]"),
        "5: smart_encoded: Smart encoding must be true or false, not 'perhaps'.",
    ),
    (
        rule(actions="[{action: twilio.send_message, to: a, media_urls: [" + ",".join("abcdefghijk") + "]}]"),
        "5: media_urls: MediaURL has 11 entries; the limit is 10.",
    ),
    (
        rule(actions="[{action: twilio.send_message, to: a, body: " + "x" * 1_601 + "}]"),
        "5: body: Message Body is 1601 characters long; the limit is 1600.",
    ),
    (
        rule(actions="[{action: event.emit, name: oncue.x}]"),
        "5: An event's name is one line, and does not begin with oncue.",
    ),
    (
        rule(actions="[{action: twilio.send_message, to: a, body: '${env:SMTP_URL}'}]"),
        "5: body: ${env:…} works in api_keys and adaptors only",
    ),
    (
        rule(actions="[{action: webhook.request, url: http://x, json: {a: ['${env:SMTP_URL}']}}]"),
        "5: json.a[0]: ${env:…} works in api_keys and adaptors only",
    ),
    (rule() + rule().removeprefix("rules:\n"), "6: There are two rules with the key 'a'; give each a key of its own."),
    ("rules: [x]", "1: A rule is a map with key, triggers and actions."),
    ("rules: {a: b}", "1: This must be a list: one entry a line, each after a dash."),
    ("rule: []", "1: There is no section 'rule'; did you mean 'rules'?"),
    ("adaptors:\n  twillio: {}", "2: There is no adaptor 'twillio'; did you mean 'twilio'?"),
    ("adaptors:\n  user: {}", "2: There is no adaptor 'user'; there are: email, twilio, webhook."),
    ("adaptors: [email]", "1: This must be a map of names to values."),
    ("adaptors:\n  webhook: {state: asleep}", "2: state is active or inactive, not 'asleep'."),
    (
        "adaptors:\n  webhook:\n    allow_private_addresses: maybe",
        "3: allow_private_addresses: Allow private addresses must be true or false, not 'maybe'.",
    ),
    ("adaptors:\n  webhook:\n    secret: x", "3: There is no field 'secret' here; there are: signing_secret"),
    (
        "adaptors:\n  webhook:\n    signing_secret: ${env:NOBODY}",
        "3: The environment variable NOBODY is not set; set it, or write the value here.",
    ),
    (
        "adaptors:\n  email:\n    from: a@example.com\n    smtp_url: ${env:ZERO}",
        "4: smtp_url: SMTP server is required.",
    ),
    (
        "adaptors:\n  email:\n    from: a@example.com\n    smtp_url: x",
        "4: smtp_url: The SMTP server is written smtp://host:25",
    ),
    ("api_keys:\n  - {name: a, key: short}", "2: A key of fewer than 16 characters can be guessed; make a longer one."),
    (
        "api_keys:\n  - {name: a, key: '${env:NOBODY}-0123456789abcdef'}",
        "2: The environment variable NOBODY is not set",
    ),
    ("api_keys:\n  - {name: a}", "2: An API key has a name, a key and, if you like, per_second, source and app."),
    ("api_keys:\n  - {name: '', key: 0123456789abcdef}", "2: An API key needs a name."),
    (
        "api_keys:\n  - {name: a, key: 0123456789abcdef, per_second: many}",
        "2: per_second is a number of items a second, not 'many'.",
    ),
    (
        "api_keys:\n  - {name: a, key: 0123456789abcdef, per_second: nan}",
        "2: per_second is a number of items a second, not 'nan'.",
    ),
    (
        "api_keys:\n  - {name: a, key: 0123456789abcdef, per_second: {a: b}}",
        "2: This must be a text, not a map; put quotes around it.",
    ),
    (
        "api_keys:\n  - &k {name: a, key: 0123456789abcdef}\n  - *k",
        "2: There are two API keys named 'a'; give each a name of its own.",
    ),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_a_fault_has_its_line_and_a_remedy(text, fault):
    found = faults_of(text)
    assert any(one.startswith(fault) for one in found), found
    assert len(found) <= 2, "one mistake is said once, or with what follows from it"


def test_every_fault_is_reported_at_once():
    assert [
        one.split(": ")[0]
        for one in faults_of("""adaptors:
  twillio: {}
  webhook:
    allow_private_addresses: maybe
rules:
  - key: a
    states: "on"
    category: transactional
    triggers: [booked]
    conditions:
      - event.x = 1
      - all:
          - event.y exists
          - evnt.z exists
    actions:
      - action: twilio.send_message
        too: x
        body: "{{ user.x | upcas }}"
  - key: B
  - key: c
    triggers: [x]
    actions:
      - action: email.sent
""")
    ] == ["2", "4", "7", "11", "14", "16", "17", "18", "19", "19", "19", "23"]


def test_a_fault_never_shows_a_secret():
    found = faults_of("adaptors:\n  email:\n    from: a@example.com\n    smtp_url: hunter2://x")
    assert found and not any("hunter2" in one for one in found)

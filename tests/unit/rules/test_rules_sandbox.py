"""The sandbox: no template reads a file, and none hangs or fills the memory, whatever its author or an event's sender had in mind."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from examples import examples
from oncue.rules.sandbox import LARGEST
from oncue.rules.templates import MissingValue, Unrenderable, Wrong, parse

# Large enough to be refused, small enough that a guard that is gone fails the test and not the machine.
SCOPE = {"event": {"n": 20_000_000, "text": "a" * 10_000, "list": list(range(2_000)), "m": {"a": [1]}}, "user": {}}
LONG = "{% assign s = event.text | append: event.text | append: event.text %}"

TOO_MUCH = "its filters have too much to do"
TOO_OFTEN = "its loops go round more than"
TOO_LONG_A_RANGE = "a range has more than 10000 numbers"
BOMBS = [
    ("{% for i in (1..20000000) %}a{% endfor %}", TOO_LONG_A_RANGE),
    ("{% for i in (1..event.n) %}a{% endfor %}", TOO_LONG_A_RANGE),
    ("{% for i in (1..event.n) reversed %}a{% endfor %}", TOO_LONG_A_RANGE),
    ("{% assign r = (1..event.n) %}{% for i in r reversed %}a{% endfor %}", TOO_LONG_A_RANGE),
    ("{% tablerow i in (1..event.n) %}a{% endtablerow %}", TOO_LONG_A_RANGE),
    ("{{ (1..event.n) | join: ',' }}", TOO_LONG_A_RANGE),
    ("{{ (1..event.n) | reverse | first }}", TOO_LONG_A_RANGE),
    ("{{ (1..event.n) | sort }}", TOO_LONG_A_RANGE),
    ("{% if true %}{% liquid\nassign x = (1..event.n) | reverse\n%}{% endif %}", TOO_LONG_A_RANGE),
    (
        "{% for i in (1..200) %}{% for j in (1..200) %}{% for k in (1..200) %}{% endfor %}{% endfor %}{% endfor %}",
        TOO_OFTEN,
    ),
    ("{% for i in (1..9999) %}{% endfor %}" * 500, TOO_OFTEN),
    ("{% for i in (1..9999) %}" + "{% if true %}{% endif %}" * 2_000 + "{% endfor %}", TOO_OFTEN),
    ("{% for i in (1..9999) %}" + "{% assign a = i %}" * 2_000 + "{% endfor %}", TOO_OFTEN),
    (
        "{% for i in (1..9999) %}" + ("{% if " + " and ".join(["true"] * 50) + " %}{% endif %}") * 20 + "{% endfor %}",
        TOO_OFTEN,
    ),
    ("{% for i in (1..9000) %}{% assign x = (1..9000) | join: ',' | size %}{% endfor %}", TOO_MUCH),
    ("{% for i in event.list %}{% assign x = event.text | upcase | size %}{% endfor %}", TOO_MUCH),
    (LONG + "{{ s | replace: '', s }}", TOO_MUCH),
    (LONG + "{{ s | replace: 'a', s | size }}", TOO_MUCH),
    (LONG + "{{ s | split: '' | join: s | size }}", TOO_MUCH),
    (
        "{% assign x = 'aaaaaaaa' %}{% for i in (1..50) %}{% assign x = x | append: x %}{% endfor %}",
        "append makes more than",
    ),
    (LONG + "{{ s" + " | append: s" * 7 + " }}", f"append makes more than {LARGEST} characters"),
    (
        "{% assign l = event.list %}{% for i in (1..50) %}{% assign l = l | concat: l %}{% endfor %}",
        "local namespace limit reached",
    ),
    (
        "{% assign x = 9 %}{% for i in (1..50) %}{% assign x = x | times: x %}{% endfor %}",
        "times makes a number that is too large",
    ),
    ("{% for i in (1..9999) %}{{ event.text }}{% endfor %}", "output stream limit reached"),
    (
        "{% capture x %}{% for i in (1..9999) %}{{ event.text }}{% endfor %}{% endcapture %}",
        "output stream limit reached",
    ),
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("template", "reason"), BOMBS)
@pytest.mark.parametrize("typed", [True, False])
def test_a_bomb_ends_with_a_reason(template, reason, typed):
    rendering = parse(template, typed=typed)
    with pytest.raises(Unrenderable) as ended:
        rendering(SCOPE)
    assert reason in str(ended.value)


@pytest.mark.parametrize("growing", ["replace: '', s", "replace: 'a', s", "split: '' | join: s"])
def test_a_text_too_large_is_refused_before_it_is_made(growing):
    rendering = parse(LONG + "{{ s | " + growing + " | size }}")
    tracemalloc.start()
    with pytest.raises(Unrenderable, match=TOO_MUCH):
        rendering(SCOPE)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("template", "size"),
    [
        ("{% for i in (1..10000) %}a{% endfor %}", 10_000),
        ("{% for i in (1..90) %}{% for j in (1..90) %}a{% endfor %}{% endfor %}", 8_100),
        ("{{ event.text }}" * 18, 180_000),
        ("{{ event.text | replace: 'a', 'bcd' }}", 30_000),
        ("{% for i in event.list %}{{ i | plus: 1 | append: ',' }}{% endfor %}", 8_893),
        ("{{ event.list | join: ', ' }}", 10_888),
    ],
)
def test_what_is_merely_long_is_rendered(template, size):
    assert len(parse(template)(SCOPE)) == size


@pytest.mark.parametrize("tag", ["include", "render", "extends", "block", "increment", "decrement", "macro", "import"])
def test_no_tag_reads_files_or_counts_across_templates(tag):
    with pytest.raises(Wrong, match=f"There is no tag '{tag}'"):
        parse("{% " + tag + " 'x' %}")


@pytest.mark.parametrize("path", ["__class__", "__init__", "__class__.__mro__", "items", "keys", "__globals__"])
def test_python_lies_out_of_reach(path):
    for root in ("event", "event.m", "event.text", "event.n"):
        with pytest.raises((MissingValue, Wrong)):
            parse("{{ " + f"{root}.{path}" + " }}")(SCOPE)


@pytest.mark.timeout(10)
def test_nesting_is_bounded():
    for opened, closed in (("{% if true %}", "{% endif %}"), ("{% for i in (1..2) %}", "{% endfor %}")):
        with pytest.raises(Wrong):
            parse(opened * 1_000 + "x" + closed * 1_000)
    with pytest.raises(Wrong):
        parse("{{ user" + "[user" * 5_000 + "]" * 5_000 + " }}")


FILTERS = [
    "append",
    "prepend",
    "plus",
    "times",
    "divided_by",
    "join",
    "split",
    "replace",
    "size",
    "round",
    "date",
    "default",
    "where",
    "map",
    "slice",
    "sort",
    "first",
    "truncate",
    "url_decode",
]
PIECES = [
    *(
        "{{",
        "}}",
        "{%",
        "%}",
        "{{-",
        "-%}",
        "|",
        ":",
        ",",
        ".",
        "..",
        "(",
        ")",
        "[",
        "]",
        "'",
        '"',
        "$",
        "\\",
        "\n",
        "#",
    ),
    *(
        "if",
        "endif",
        "else",
        "for",
        "in",
        "endfor",
        "assign",
        "=",
        "==",
        "capture",
        "endcapture",
        "case",
        "when",
        "raw",
    ),
    *(
        "event",
        "user",
        "event.n",
        "event.list",
        "event.m",
        "user.absent",
        "event.text",
        "event.$name",
        "0",
        "-1",
        "1.5",
    ),
    *("'a'", "true", "nil", "blank", "(1..3)", "limit: 1", "a", "é😀", *FILTERS),
]
VALUES = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**63)
    | some.floats(allow_nan=False)
    | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
ATOMS = some.sampled_from(
    ["event.v", "event.w", "user.absent", "'a'", "''", "3", "-1.5", "(1..3)", "true", "event.v[0]"]
)


def rendered(template: str, scope: dict, **how: bool) -> None:
    """Every way that a template may end."""
    try:
        parse(template, **how)(scope)
    except (Wrong, MissingValue, Unrenderable) as reason:
        assert str(reason).strip()


@settings(max_examples=examples(200))
@given(some.lists(some.sampled_from(PIECES), max_size=14), some.booleans(), some.booleans())
def test_whatever_is_written_nothing_but_a_reason_comes_out(pieces, html, typed):
    rendered(" ".join(pieces), SCOPE, html=html, typed=typed)
    rendered("{{ " + " ".join(pieces) + " }}", SCOPE, html=html, typed=typed)


@settings(max_examples=examples(200))
@given(
    ATOMS,
    some.lists(some.tuples(some.sampled_from(FILTERS), some.lists(ATOMS, max_size=2)), max_size=3),
    VALUES,
    VALUES,
    some.booleans(),
)
def test_whatever_the_values_nothing_but_a_reason_comes_out(left, filters, v, w, typed):
    called = "".join(f" | {name}{': ' if args else ''}{', '.join(args)}" for name, args in filters)
    rendered("{{ " + left + called + " }}", {"event": {"v": v, "w": w}, "user": {}}, typed=typed)

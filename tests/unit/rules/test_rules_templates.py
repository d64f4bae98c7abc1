"""Templates: parsed when the rule is saved, strict about missing values, typed where they are exactly one value, escaped in HTML."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.rules import templates
from oncue.rules.templates import LONGEST, MissingValue, Unrenderable, Wrong, parse, present

SCOPE = present(
    {
        "event": {
            "amount": 12.5,
            "count": 3,
            "paid": False,
            "list": ["x", None, "", "y"],
            "none": [],
            "map": {"k": True},
            "maps": [{"n": 1}, {}],
            "pictures": ["https://a.example/1.png", "https://a.example/2.png"],
            "html": "<b>&</b>",
            "blank_text": "",
            "null": None,
            "a name": "spaced",
            "encoded": "%3Cscript%3E",
            "$name": "paid",
        },
        "user": {"first_name": "Ann", "blank_name": "", "null_name": None, "zero": 0, "no": False, "$id": "u1"},
    }
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("no template", "no template"),
        ("Hi {{ user.first_name }}", "Hi Ann"),
        ("Hi {{ user.first_name | upcase | append: '!' }}", "Hi ANN!"),
        ('{{ event["a name"] }} {{ event.$name }} {{ user.$id }}', "spaced paid u1"),
        ("{{ event.amount }} {{ event.count | plus: 1 }}", "12.5 4"),
        ("{{ user.zero }} {{ user.no }}", "0 false"),
        ("{% for p in event.pictures %}{{ forloop.index }} {% endfor %}", "1 2 "),
        ("{% assign t = '' %}[{{ t }}]", "[]"),
        ("{% raw %}{{ user.absent }}{% endraw %}", "{{ user.absent }}"),
        ("{% if event.count > 2 %}many{% else %}few{% endif %}", "many"),
        # never Python's words
        ("a {{ event.map }}", 'a {"k":true}'),
        ("a {{ event.list }}", "a xy"),
        ("{{ event.list | join: ',' }}", "x,,,y"),
        ("{{ event.paid | append: '!' }}", "false!"),
    ],
)
def test_a_template_is_rendered(template, text):
    assert parse(template)(SCOPE) == text


MISSING = [
    "{{ user.absent }}",
    "{{ user.blank_name }}",
    "{{ user.null_name }}",
    "{{ event['blank_text'] }}",
    "{{ user.absent.deeper }}",
    "{{ event.list[1] }}",
    "{{ event.list[2] }}",
    "{{ event.list[99] }}",
    "{{ event.maps[1].n }}",
    "{{ event.none | first }}",
    "{% echo user.absent %}",
    "{% assign n = user.absent %}{{ n }}",
    "{% capture n %}{{ user.absent }}{% endcapture %}",
    "{% for one in user.absent %}{{ one }}{% endfor %}",
    "{% for one in event.list %}{{ one | append: user.absent }}{% endfor %}",
    "{% cycle user.absent, 'a' %}",
    "{{ user.absent | default: user.null_name }}",
    # what a filter would make of nothing: 0, today's date, an empty text
    "{{ user.absent | plus: 1 }}",
    "{{ user.absent | times: 2 }}",
    "{{ user.absent | round }}",
    "{{ user.absent | date: '%Y' }}",
    "{{ user.absent | upcase }}",
    "{{ user.absent | size }}",
    "{{ user.absent | join: ',' }}",
    "{{ event.count | plus: user.absent }}",
    "{{ user.first_name | append: user.absent }}",
    "{{ 'Dear ' | append: user.absent | append: ',' }}",
    "{{ user.first_name | replace: 'A', user.absent }}",
    "{{ user.first_name | date: user.absent }}",
    "{{ event.maps | where: user.absent }}",
]


@pytest.mark.parametrize("template", MISSING)
@pytest.mark.parametrize("as_what", ["typed", "in a sentence", "in HTML"])
def test_a_missing_value_without_default_stops_the_message(template, as_what):
    text = template if as_what == "typed" else f"Hi {template},"
    with pytest.raises(MissingValue):
        parse(text, typed=as_what == "typed", html=as_what == "in HTML")(SCOPE)


def test_what_is_missing_is_named():
    with pytest.raises(MissingValue, match=r"^user\.absent has no value$"):
        parse("Hi {{ user.absent }}")(SCOPE)
    with pytest.raises(MissingValue, match=r"^event\.list\[1\] has no value$"):
        parse("Hi {{ event.list[1] }}")(SCOPE)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ user.absent | default: 'there' }}", "there"),
        ("{{ user.blank_name | default: 'there' }}", "there"),
        ("{{ user.null_name | default: 'there' }}", "there"),
        ("{{ user.absent | default: '' }}", ""),
        ("{{ event.list[1] | default: 'there' }}", "there"),
        ("{{ user.absent | default: user.first_name }}", "Ann"),
        ("{{ user.absent | default: 'ann' | capitalize }}", "Ann"),
        ("{{ user.first_name | default: 'there' }}", "Ann"),
        ("{{ user.zero | default: 5 }}", "0"),
        ("{{ user.no | default: true, allow_false: true }}", "false"),
    ],
)
def test_a_default_stands_in_for_what_is_missing(template, text):
    assert parse(f"Hi {template}")(SCOPE) == f"Hi {text}"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{% if user.absent %}a{% else %}b{% endif %}", "b"),
        ("{% if user.blank_name %}a{% else %}b{% endif %}", "b"),
        ("{% if user.first_name %}Hi {{ user.first_name }}{% else %}Hi{% endif %}", "Hi Ann"),
        ("{% if user.absent %}Hi {{ user.absent }}{% else %}Hi{% endif %}", "Hi"),
        ("{% unless user.absent %}a{% endunless %}", "a"),
        ("{% if user.absent == 'x' %}a{% else %}b{% endif %}", "b"),
        ("{% if user.absent > 5 %}a{% else %}b{% endif %}", "b"),
        ("{% if user.absent contains 'x' %}a{% else %}b{% endif %}", "b"),
        ("{% if user.absent.deeper and user.first_name %}a{% else %}b{% endif %}", "b"),
        ("{% case user.absent %}{% when 'x' %}a{% else %}b{% endcase %}", "b"),
    ],
)
def test_asking_for_a_missing_value_in_a_tag_is_no_fault(template, text):
    assert parse(template)(SCOPE) == text


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ event.pictures }}", ["https://a.example/1.png", "https://a.example/2.png"]),
        ("  {{ event.pictures }}\n", ["https://a.example/1.png", "https://a.example/2.png"]),
        ("{{ event.amount }}", 12.5),
        ("{{ event.count }}", 3),
        ("{{ event.count | times: 1.5 }}", 4.5),
        ("{{ event.paid }}", False),
        ("{{ event.map }}", {"k": True}),
        ("{{ user.absent | default: event.pictures }}", ["https://a.example/1.png", "https://a.example/2.png"]),
        ("{{ event.maps | map: 'n' }}", [1, None]),
        ("{{ (1..3) }}", [1, 2, 3]),
        ("{{ event.map | first }}", ["k", True]),
        ("{{ 'a,b' | split: ',' }}", ["a", "b"]),
        # more than one value is a text
        ("{{ event.count }}{{ event.count }}", "33"),
        ("{{ event.count }} pieces", "3 pieces"),
        ("{% if true %}{{ event.count }}{% endif %}", "3"),
    ],
)
def test_a_value_that_is_exactly_one_output_keeps_its_type(template, value):
    rendered = parse(template, typed=True)(SCOPE)
    assert rendered == value and type(rendered) is type(value)


@pytest.mark.parametrize(
    ("template", "html"),
    [
        ("<p>{{ event.html }}</p>", "<p>&lt;b&gt;&amp;&lt;/b&gt;</p>"),
        ("{{ event.html | upcase }}", "&lt;B&gt;&amp;&lt;/B&gt;"),
        ("{{ event.html | append: '<i>' }}", "&lt;b&gt;&amp;&lt;/b&gt;<i>"),
        ("{{ '<i>' | append: event.html }}", "<i>&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{{ event.html | replace: '&', 'x' }}", "&lt;b&gt;x&lt;/b&gt;"),
        ("{{ event.html | split: '' | join: '' }}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{{ event.html | newline_to_br }}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{{ event.html | escape }}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{{ event.html | escape_once }}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{{ event.html | url_encode | url_decode }}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{{ event.encoded | url_decode }}", "&lt;script&gt;"),
        ("{{ user.absent | default: event.html }}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{% assign h = event.html %}{{ h }}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{% capture h %}{{ event.html }}{% endcapture %}{{ h }}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{% echo event.html %}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{% cycle event.html %}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{{ 'now' | date: event.html }}", "&lt;b&gt;&amp;&lt;/b&gt;"),
        ("{{ event.map }}", "{&#34;k&#34;:true}"),
        ("plain <b>", "plain <b>"),
    ],
)
def test_values_are_escaped_where_the_field_is_html(template, html):
    assert parse(template, html=True)(SCOPE) == html


def test_values_are_not_escaped_in_a_text():
    assert parse("Hi {{ event.html }}")(SCOPE) == "Hi <b>&</b>"


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{{ user.name", "The template cannot be read: expected '}}', found end of file."),
        ("{{ }}", "The template cannot be read: "),
        ("{% if user.x %}a", "The template cannot be read: expected tag endif"),
        ("{% if %}a{% endif %}", "The template cannot be read: missing expression."),
        ("{{ user.x | }}", "The template cannot be read: "),
        ("{{ user.x | upcas }}", "There is no filter 'upcas'; did you mean 'upcase'?"),
        ("{{ user.x | safe }}", "There is no filter 'safe'"),
        ("{% fro x in event.y %}{% endfro %}", "There is no tag 'fro'; did you mean 'for'?"),
        ("{{ usr.name }}", "There is no variable 'usr'; did you mean 'user'? Values are under event. and user."),
        ("{{ first_name }}", "There is no variable 'first_name'; there are: event, user."),
        ("{{ event.$nmae }}", "There is no event field '$nmae'; did you mean '$name'?"),
        ("{{ user.$name }}", "There is no user field '$name'"),
        ("{{ " + "9" * 5_000 + " }}", "The template cannot be read: "),
        ("x" * (LONGEST + 1), f"A template is at most {LONGEST} characters long."),
    ],
)
def test_what_is_wrong_is_said_when_the_rule_is_saved(template, sentence):
    with pytest.raises(Wrong) as wrong:
        parse(template)
    assert sentence in str(wrong.value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ event.count | divided_by: 0 }}",
        "{{ event.count | modulo: 0 }}",
        "{{ '1e400' | ceil }}",
        "{{ 'nan' | round }}",
        "{{ 'Infinity' | times: 0 }}",
        "{{ '1e400' | times: 2 }}",
        "{{ 9223372036854775807 | plus: 1 }}",
        "{{ '99999999999999999999' | date: '%Y' }}",
        "{{ '////' | base64_decode }}",
        "{{ event.list | sort }}",
        "{{ event.map | concat: 'a' }}",
        "{% for i in (1..3) limit: -1 %}{{ i }}{% endfor %}",
    ],
)
def test_values_that_do_not_suit_a_filter_are_a_reason_not_an_exception(template):
    for typed in (True, False):
        with pytest.raises(Unrenderable):
            parse(template, typed=typed)(SCOPE)


_STEPS = st.sampled_from(["count", "amount", "list", "map", "blank_text", "absent", "size", "first", "k", "html", "_x"])
_PATHS = st.builds(
    lambda root, steps: f"{{{{ {'.'.join((root, *steps))} }}}}",
    st.sampled_from(["event", "user"]),
    st.lists(_STEPS, min_size=1, max_size=3),
)


@given(
    st.lists(st.one_of(_PATHS, st.sampled_from(["", " ", "Hi ", "\n", "é}"])), min_size=1, max_size=4),
    st.dictionaries(
        st.sampled_from(["count", "amount", "size", "k", "_x"]),
        st.one_of(
            st.text(max_size=5), st.integers(-(2**63), 2**63 - 1), st.booleans(), st.floats(allow_nan=False), st.none()
        ),
    ),
    st.booleans(),
)
def test_a_template_that_only_inserts_values_gives_what_liquid_gives(pieces, values, typed):
    text = "".join(pieces)
    scope = present({"event": {**SCOPE["event"], **values}, "user": values})

    def outcome(rendering):
        try:
            return rendering(scope)
        except (MissingValue, Unrenderable) as refusal:
            return type(refusal), str(refusal)

    rendering = parse(text, typed=typed)
    liquid = (
        rendering.args[-1]
        if isinstance(rendering, partial) and len(rendering.args) == 2 and rendering.func is templates._join
        else rendering
    )
    assert outcome(rendering) == outcome(liquid)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_lines_end_the_same_whichever_way_a_template_is_rendered(end):
    """Found by fuzzing: Liquid wrote an end as `\\n`, some as two, and the short way kept what was there."""
    scope = {"event": {"text": f"a{end}b", "whole": 1, "part": 1.5}, "user": {}}
    short = parse("{{ event.text }}, {{ event.whole }}" + end)(scope)
    liquid = parse("{{ event.text }}, {{ event.part }}" + end)(scope)
    assert (short, liquid) == (f"a{end}b, 1{end}", f"a{end}b, 1.5{end}")

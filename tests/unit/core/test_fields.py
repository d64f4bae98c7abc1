"""Fields: text as it comes from a form, a file or a template, typed by the field it fills."""

import pytest

from oncue.core.fields import Field, Kind, as_text, read, utf16_length

FORM = (
    Field(name="to", label="To", help="", required=True),
    Field(name="count", label="Count", help="", kind=Kind.INTEGER, minimum=1, maximum=10),
    Field(name="flag", label="Flag", help="", kind=Kind.BOOLEAN),
    Field(name="urls", label="URLs", help="", kind=Kind.LIST, max_length=2),
    Field(name="page", label="Page", help="", kind=Kind.URL),
    Field(name="size", label="Size", help="", kind=Kind.CHOICE, choices=("s", "m"), default="m"),
)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"to": "+1500"}, "+1500"),
        ({"to": 12}, "12"),
        ({"to": 12.0}, "12"),
        ({"to": True}, "true"),
    ],
)
def test_a_scalar_becomes_text_as_a_person_writes_it(given, value):
    values, faults = read(FORM, given)
    assert not faults and values == {"to": value, "size": "m"}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("to", "", "To is required."),
        ("to", ["a"], "To must be a text, not a list."),
        ("count", "x", "Count must be a whole number, not 'x'."),
        ("count", "11", "Count must be from 1 to 10, not 11."),
        ("count", True, "Count must be a number, not 'true'."),
        ("flag", "maybe", "Flag must be true or false, not 'maybe'."),
        ("page", "ftp://x", "Page must be a web address that starts with http:// or https://, not 'ftp://x'."),
        ("size", "l", "Size must be one of s, m, not 'l'."),
        ("sise", "l", "There is no field 'sise' here; there are: to, count, flag, urls, page, size."),
    ],
)
def test_a_fault_is_a_sentence(name, value, sentence):
    _, faults = read(FORM, {"to": "a", name: value})
    assert [(fault.field, fault.sentence) for fault in faults] == [(name, sentence)]


def test_length_is_counted_in_utf16_units_as_carriers_do():
    assert utf16_length("é") == 1
    assert utf16_length("😀") == 2


def test_maps_become_json_text():
    assert as_text({"a": 1}) == '{"a":1}'

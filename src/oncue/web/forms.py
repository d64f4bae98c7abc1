"""Forms built from declarations: a field of an adaptor or an action becomes a labelled input, and what is posted becomes what a file would say.

Lists are written one a line, maps as `name = value` a line. A secret is never sent back to the browser; left empty, the saved one stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.http import QueryDict

from oncue.core.fields import Fault, Field, Kind, as_text


class Input(msgspec.Struct, kw_only=True):
    """One field as its input is drawn (`_field.html`)."""

    name: str
    id: str
    label: str
    help: str
    kind: str
    required: bool = False
    value: str = ""
    placeholder: str = ""
    fault: str = ""
    choices: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    """(value, label) to pick from, beside typing one in."""
    is_saved: bool = False
    """A secret that is there, though it is not shown."""


def inputs(
    fields: Iterable[Field],
    values: Mapping[str, Any],
    faults: Iterable[Fault] = (),
    *,
    saved: Iterable[str] = (),
    options: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    prefix: str = "",
) -> list[Input]:
    """The inputs of a form. `saved` are the secrets that there are; `options` what may be picked for a field."""
    wrong: dict[str, str] = {}
    for fault in faults:
        wrong.setdefault(fault.field, fault.sentence)
    kept = frozenset(saved)
    return [
        Input(
            name=prefix + field.name,
            id=f"f-{prefix}{field.name}".replace(".", "-"),
            label=field.label,
            help=field.help,
            kind=field.kind.value,
            required=field.required,
            value="" if field.is_secret else written(field, values.get(field.name)),
            placeholder=_placeholder(field, field.name in kept),
            fault=wrong.get(field.name, ""),
            choices=field.choices,
            options=tuple((options or {}).get(field.name, ())),
            is_saved=field.name in kept,
        )
        for field in fields
    ]


def rest(faults: Iterable[Fault], fields: Iterable[Field]) -> list[str]:
    """Sentences of faults that belong to no field of the form."""
    known = {field.name for field in fields}
    return [fault.sentence for fault in faults if fault.field not in known]


def given(fields: Iterable[Field], post: QueryDict, prefix: str = "") -> dict[str, Any]:
    """What was posted, as a rules file would say it. Fields left empty are left out."""
    found: dict[str, Any] = {}
    for field in fields:
        text = post.get(prefix + field.name, "")
        value = read_written(field.kind, text if field.kind is Kind.SECRET else text.replace("\r\n", "\n"))
        if value not in ("", [], {}):
            found[field.name] = value
    return found


def written(field: Field, value: Any) -> str:
    """A value as its input holds it."""
    if value is None:
        return ""
    if field.kind is Kind.LIST and isinstance(value, list):
        return "\n".join(as_text(one) for one in value)
    if field.kind is Kind.MAP and isinstance(value, dict):
        return "\n".join(f"{name} = {as_text(one)}" for name, one in value.items())
    if field.kind is Kind.JSON and not isinstance(value, str):
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return as_text(value)


def read_written(kind: Kind, text: str) -> Any:
    """What an input's text means."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if kind is Kind.LIST:
        is_template = len(lines) == 1 and lines[0].startswith("{{")
        return lines[0] if is_template else lines
    if kind is Kind.MAP:
        pairs = [line.partition("=") for line in lines]
        return {name.strip(): value.strip() for name, _, value in pairs}
    if kind is Kind.JSON and text.strip():
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    return text if kind in (Kind.TEXT, Kind.HTML, Kind.SECRET) else text.strip()


def _placeholder(field: Field, is_saved: bool) -> str:
    if field.is_secret:
        return "Saved; leave empty to keep it" if is_saved else ""
    if field.kind is Kind.MAP:
        return "name = value, one a line"
    if field.kind is Kind.LIST:
        return "one a line"
    return field.example or ("" if field.default is None else as_text(field.default))

"""The reference: the OpenAPI document drawn by our own template, a page for each group of operations, so that it is there without a network
and weighs what a page does."""

from __future__ import annotations

import shlex
from functools import cache
from typing import Any

import msgspec
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from oncue.web.api.openapi import document


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter, or a field of a body or an answer."""

    name: str
    depth: int
    type: str
    required: bool = False
    about: str = ""
    more: str = ""
    """What else holds: a default, bounds, choices."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer."""

    status: str
    about: str
    content_type: str = ""
    rows: list[Row] = []
    sample: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it is what was asked for."""
        return self.status.startswith("2")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One operation."""

    name: str
    method: str
    path: str
    summary: str
    about: str
    scope: str
    parameters: list[Row]
    body: list[Row]
    sample: str
    answers: list[Answer]
    curl: str


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The operations of a tag."""

    name: str
    id: str
    about: str
    calls: list[Call]


def show(request: HttpRequest, group: str = "") -> HttpResponseBase:
    """The page of a group of operations; without one, how to begin and what there is. Raises Http404."""
    chosen = next((one for one in _groups() if one.id == group), None)
    if group and chosen is None:
        raise Http404
    about = [one.split("** ", 1) for one in document()["info"]["description"].split("\n\n**")[1:]]
    return render(request, "oncue/api_docs.html", {"groups": _groups(), "chosen": chosen, "about": about})


@cache
def _groups() -> list[Group]:
    made = document()
    calls: dict[str, list[Call]] = {}
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            calls.setdefault(operation["tags"][0], []).append(_call(method.upper(), path, operation))
    return [
        Group(
            name=tag["name"],
            id=tag["name"].lower().replace(" ", "-"),
            about=tag["description"],
            calls=calls[tag["name"]],
        )
        for tag in made["tags"]
    ]


def _call(method: str, path: str, operation: dict[str, Any]) -> Call:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema")
    sample = content.get("example") if "example" in content else (_sample(schema) if schema else None)
    return Call(
        name=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        about=operation.get("description", ""),
        scope=operation["security"][0]["key"][0],
        parameters=[_parameter(one) for one in operation["parameters"]],
        body=_rows(schema) if schema else [],
        sample=_pretty(sample) if schema else "",
        answers=[_answer(status, one) for status, one in operation["responses"].items()],
        curl=_curl(method, path, operation, sample if schema else None),
    )


def _parameter(one: dict[str, Any]) -> Row:
    schema = one["schema"]
    return Row(
        name=one["name"],
        depth=0,
        type="in the path" if one["in"] == "path" else _type(schema),
        required=one["required"],
        about=one.get("description", ""),
        more=_more(schema),
    )


def _answer(status: str, one: dict[str, Any]) -> Answer:
    one = _resolved(one)
    contents: dict[str, dict[str, Any]] = one.get("content", {})
    kind = next(iter(contents), "")
    content = contents.get(kind, {})
    is_good = status.startswith("2") and kind == "application/json"
    schema = content.get("schema", {})
    return Answer(
        status=status,
        about="" if status.startswith("2") else one["description"],
        content_type=kind,
        rows=_rows(schema) if is_good else [],
        sample=_pretty(_sample(schema)) if is_good else "",
    )


def _curl(method: str, path: str, operation: dict[str, Any], body: Any) -> str:
    filled = path
    for one in operation["parameters"]:
        if one["in"] == "path":
            filled = filled.replace(
                f"{{{one['name']}}}", str(one.get("example", "1")).replace("/", "%2F").replace("+", "%2B")
            )
    parts = [
        "curl",
        *(["-X", method] if method != "GET" else []),
        f'"$ONCUE{filled}"',
        '-H "Authorization: Bearer $KEY"',
    ]
    if body is not None:
        parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(msgspec.json.encode(body).decode())}"]
    return " ".join(parts)


# Schemas.


def _resolved(value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found: Any = document()
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    if "allOf" in value and len(value["allOf"]) == 1:
        return {**_resolved(value["allOf"][0]), **{key: one for key, one in value.items() if key != "allOf"}}
    return value


def _rows(schema: dict[str, Any], depth: int = 0, seen: tuple[str, ...] = ()) -> list[Row]:
    """The fields of an object, and of what is in it."""
    name = schema.get("$ref", "")
    if name and name in seen:
        return []
    schema = _resolved(schema)
    required = schema.get("required", [])
    rows = []
    for field, one in schema.get("properties", {}).items():
        inner = _resolved(one)
        rows.append(
            Row(
                name=field,
                depth=depth,
                type=_type(one) if field in required else _type(one).removesuffix(" or null"),
                required=field in required,
                about=one.get("description") or inner.get("description", ""),
                more=_more(inner),
            )
        )
        for choice in _inside(one):
            rows += _rows(choice, depth + 1, (*seen, name))
    return rows


def _inside(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The object that a field is, or is a list of."""
    schema_ = _resolved(schema)
    if "anyOf" in schema_:
        return [found for one in schema_["anyOf"] for found in _inside(one)]
    if schema_.get("type") == "array":
        return _inside(schema_.get("items", {}))
    return [schema] if "properties" in schema_ else []


def _type(schema: dict[str, Any]) -> str:
    schema = _resolved(schema)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        inner = _type(schema.get("items", {}))
        return (
            "list"
            if inner == "anything"
            else f"list of {inner}s"
            if not inner.endswith("t") or inner in ("object", "text")
            else f"list of {inner}"
        )
    if schema.get("format") == "date-time":
        return "time"
    return _TYPES.get(str(schema.get("type")), "anything")


_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "null": "null",
}


def _more(schema: dict[str, Any]) -> str:
    found = [_more(one) for one in schema.get("anyOf", [])]
    if schema.get("type") == "array":
        found.append(_more({key: one for key, one in schema.get("items", {}).items() if key == "enum"}))
    if "enum" in schema:
        found.append("one of " + ", ".join(map(_plain, schema["enum"])))
    if "minimum" in schema or "maximum" in schema:
        low, high = schema.get("minimum"), schema.get("maximum")
        both = low is not None and high is not None and high < 2**53
        found.append(
            f"from {low:,} to {high:,}" if both else f"at least {low:,}" if low is not None else f"at most {high:,}"
        )
    if "maxLength" in schema:
        found.append(f"at most {schema['maxLength']} characters")
    if schema.get("default") not in (None, ""):
        found.append(f"without it {_plain(schema['default'])}")
    return "; ".join(filter(None, found))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) and value else msgspec.json.encode(value).decode()


def _sample(schema: dict[str, Any]) -> Any:
    """An example of it, from the examples of its parts."""
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    schema = _resolved(schema)
    if schema.get("examples"):
        return schema["examples"][0]
    if "default" in schema:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0])
    if "properties" in schema:
        return {name: _sample(one) for name, one in schema["properties"].items()}
    if schema.get("type") == "array":
        return [_sample(schema.get("items", {}))]
    return _EMPTY.get(str(schema.get("type")))


_EMPTY: dict[str, Any] = {"string": "text", "integer": 1, "number": 1, "boolean": True, "object": {}}


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()

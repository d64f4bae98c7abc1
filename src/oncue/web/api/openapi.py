"""The OpenAPI 3.1 document: what ninja makes of the operations, with what it leaves out: scopes, problems, what each tag is about."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec
from django.http import HttpRequest, HttpResponse
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from oncue.web.api import PREFIX
from oncue.web.api.auth import ABOUT
from oncue.web.api.operations import COMMON, fault
from oncue.web.api.problems import FieldFault, Problem
from oncue.web.api.program import PROGRAM, RESOURCES

DESCRIPTION = f"""Everything that members do in oncue's pages, as JSON.

**Keys.** Send `Authorization: Bearer KEY`. An owner makes keys under Settings, or `oncue key create NAME --scope write` does. Scopes:
{"; ".join(f"`{scope}` may {what}" for scope, what in ABOUT.items())}. Each includes those before it. Events are sent to `POST /v1/events`, with the scope `events`.

**Pages.** Listings are newest first and hold `next`, the address of the page after this one, or null at the end. Times are ISO 8601 in UTC.

**Problems.** Whatever is not carried out is answered with `application/problem+json` (RFC 9457): `detail` says what is wrong and what to do, `errors` says it field by field."""


@cache
def document() -> dict[str, Any]:
    """The document."""
    made: dict[str, Any] = PROGRAM.get_openapi_schema(path_prefix=PREFIX)
    made["info"] = {"title": "oncue", "version": PROGRAM.version, "description": DESCRIPTION, "license": _LICENSE}
    made["servers"] = [{"url": "/", "description": "This server."}]
    made["tags"] = [{"name": one.tag, "description": one.about} for one in RESOURCES]
    components = made["components"]
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}}
    components["responses"] = {str(status): fault(said) for status, said in COMMON.items()}
    for model in (Problem, FieldFault):
        schema = TypeAdapter(model).json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        components["schemas"][model.__name__] = schema
    functions = {name: one for resource in RESOURCES for name, one in resource.functions.items()}
    for operations in made["paths"].values():
        for operation in operations.values():
            _describe(operation["parameters"], functions[operation["operationId"]])
            operation["responses"] = {
                str(status): found
                for status, found in sorted(operation["responses"].items(), key=lambda pair: int(pair[0]))
            }
            if operation.get("description") == operation["summary"]:
                del operation["description"]  # a docstring of one line is both
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(_without_titles(made)))
    return plain


_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


def _describe(parameters: list[dict[str, Any]], function: Any) -> None:
    """What ninja loses of a parameter (its description), or says in a way that OpenAPI does not know (a list of examples, null in a query)."""
    hints = get_type_hints(function, include_extras=True)
    for one in parameters:
        told = next(note for note in get_args(hints[one["name"]]) if isinstance(note, FieldInfo))
        schema = one["schema"]
        while "anyOf" in schema:
            schema = {**{key: value for key, value in schema.items() if key != "anyOf"}, **schema["anyOf"][0]}
        one["schema"] = {key: value for key, value in schema.items() if key not in ("description", "examples")}
        one["description"] = told.description
        one.pop("examples", None)
        if told.examples and told.examples[0] is not None:
            one["example"] = told.examples[0]


def _without_titles(value: Any, of_names: bool = False) -> Any:
    """pydantic gives every schema a title that repeats its name. `of_names`: the keys are names of fields, and one of them may be title."""
    if isinstance(value, dict):
        return {
            key: _without_titles(one, key in ("properties", "schemas"))
            for key, one in value.items()
            if of_names or key != "title" or not _is_schema(value)
        }
    return [_without_titles(one) for one in value] if isinstance(value, list | tuple) else value


def _is_schema(value: dict[str, Any]) -> bool:
    return bool(value.keys() & {"type", "anyOf", "allOf", "$ref", "enum", "const", "properties"}) or value.keys() <= {
        "title", "description", "examples", "default"
    }  # fmt: skip


@cache
def _text() -> bytes:
    return msgspec.json.encode(document())


def answer(request: HttpRequest) -> HttpResponse:
    """The document as a response."""
    return HttpResponse(_text(), content_type="application/json")

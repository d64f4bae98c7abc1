"""What holds for every operation of the management API: keys and their scopes, problems, the document, the page that shows it."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from typing import Any

import pytest

from managing import Managed, api, signed_in  # noqa: F401 one is a fixture

RANKS = ("read", "write", "admin")
CHANGE_NOTHING = ("test_rule", "backtest_rule", "preview_message")
"""Operations that look, though they take a body."""


@pytest.fixture(scope="module")
def document(api: Managed) -> dict[str, Any]:  # noqa: F811
    answer = api.ask("GET", "/openapi.json", scope="")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return dict(answer.json())


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path with ids filled in, declaration."""
    found = []
    for path, methods in document["paths"].items():
        filled = re.sub(r"\{\w+\}", "1", path).removeprefix("/api/v1")
        found += [(method.upper(), filled, one) for method, one in methods.items()]
    assert len(found) > 30
    return found


def scope_of(operation: dict[str, Any]) -> str:
    return str(operation["security"][0]["key"][0])


def test_every_operation_takes_a_scope_and_is_described(document, operations):
    assert document["openapi"] == "3.1.0"
    names = [one["operationId"] for _, _, one in operations]
    assert len(names) == len({*names})
    tags = {one["name"] for one in document["tags"]}
    for method, path, one in operations:
        assert scope_of(one) in RANKS, path
        assert method == "GET" or scope_of(one) != "read" or one["operationId"] in CHANGE_NOTHING, path
        assert one["summary"] and one["tags"][0] in tags, path
        assert all(parameter.get("description") for parameter in one["parameters"]), (method, path)
        assert "requestBody" not in one or "example" in one["requestBody"]["content"]["application/json"], path


def test_every_field_is_described(document):
    bare = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, one in schema.get("properties", {}).items()
        if field not in ("items", "consents", "pauses", "message", "event", "latency")
        and not (one.get("description") or "$ref" in one or "allOf" in one)
    ]
    assert not bare


def test_nobody_gets_in_without_a_key(api, operations):  # noqa: F811
    for method, path, _ in operations:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {api.keys['admin']}"}):
            answer = api.ask(method, path, scope="", **headers)
            assert answer.status == 401, (method, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "Authorization: Bearer" in answer.detail


def test_a_key_does_what_its_scope_includes_and_no_more(api, operations):  # noqa: F811
    for method, path, one in operations:
        for scope in ("events", *RANKS):
            if scope == "events" or RANKS.index(scope) < RANKS.index(scope_of(one)):
                answer = api.ask(method, path, scope=scope)
                assert answer.status == 403, (scope, method, path)
                assert answer.detail.startswith(f"This takes a key with the scope {scope_of(one)};")
    assert api.ask("GET", "/policy", scope="admin").status == 200


def test_a_cookie_is_no_key(api):  # noqa: F811
    cookie = signed_in(api, "owner")
    assert api.ask("GET", "/policy", scope="", Cookie=cookie).status == 401


def test_a_key_needs_no_token_against_forgery(api):  # noqa: F811
    answer = api.ask("PATCH", "/users/forged", {"properties": {}}, scope="write", Origin="https://elsewhere.example")
    assert answer.status == 200, answer


def test_what_is_wrong_with_a_request_is_said_as_a_problem(api):  # noqa: F811
    assert "nothing at this address" in api.ask("GET", "/nothing").detail
    assert "nothing at this address" in api.ask("GET", "/users/a%0Ab/nothing").detail
    assert "NUL" in api.ask("GET", "/users/a%00b").detail
    wrong_method = api.ask("DELETE", "/policy")
    assert (wrong_method.status, wrong_method.headers["allow"]) == (405, "GET, PUT")
    assert wrong_method.detail == "DELETE is not possible here; GET, PUT is."
    put = ("PUT", "/policy")
    assert api.ask(*put, b"{}", Content_Type="text/plain").status == 415
    assert api.ask(*put, b"{}", Content_Encoding="gzip").status == 415
    assert api.ask(*put, b"{").detail.startswith("The body is not JSON")
    assert api.ask(*put, b'"\xff"').status == 400
    assert api.ask(*put, b" " * 1_000_001).status == 413
    assert api.ask(*put, b"[" * 40 + b"]" * 40).status == 422
    assert api.ask(*put, b"[" * 5_000 + b"]" * 5_000).status in (400, 422)
    assert api.ask(*put, {"quiet_from": "2\0"}).status == 422
    assert api.ask(*put, {"cap_days": 2**70}).status == 422
    assert api.ask(*put, {"cap_days": "7"}).errors == {"cap_days": "cap_days must be a whole number."}
    assert api.ask(*put, {"cap_dais": 7}).errors == {"cap_dais": "There is no field 'cap_dais' here."}
    assert api.ask(*put, []).detail == "The body must be an object."
    assert api.ask("POST", "/keys").detail == "The body is required."


def test_a_parameter_that_is_not_known_is_refused(api):  # noqa: F811
    answer = api.ask("GET", "/messages?stat=waiting")
    assert answer.status == 422
    assert answer.errors["stat"].startswith("There is no parameter 'stat' here; there is: adaptor, before,")
    assert api.ask("GET", "/messages?limit=0").errors["limit"]
    assert api.ask("GET", "/messages?limit=201").errors["limit"]
    assert api.ask("GET", "/messages?before=x").errors["before"] == "before must be a whole number."
    assert api.ask("GET", "/messages?since=tomorrow").errors["since"].startswith("since is not an ISO 8601 time")
    assert api.ask("GET", "/messages?rule=a%00b").status == 422


def test_head_answers_as_get_does(api):  # noqa: F811
    answer = api.ask("HEAD", "/policy")
    assert (answer.status, answer.body) == (200, b"")


def test_the_reference_shows_every_operation_and_loads_nothing_from_elsewhere(api, document, operations):  # noqa: F811
    cookie = signed_in(api, "viewer")
    groups = [one["name"].lower().replace(" ", "-") for one in document["tags"]]
    pages = ""
    for path in ("/docs", *(f"/docs/{group}" for group in groups)):
        answer = api.ask("GET", path, scope="", Cookie=cookie, Accept_Encoding="gzip")
        assert answer.status == 200, path
        assert len(answer.body) < 30_000, "with the stylesheets and scripts, a page has 60 KB"
        pages += gzip.decompress(answer.body).decode()
    for _, _, one in operations:
        assert f'id="{one["operationId"]}"' in pages
    assert not re.search(r'(?:src|href)="(?:https?:)?//', pages)
    assert api.ask("GET", "/docs/nothing", scope="", Cookie=cookie).status == 404


def test_the_page_of_the_keys_leads_to_the_reference(api):  # noqa: F811
    status, _, page = api.call("GET", "/settings/keys", None, {"Cookie": signed_in(api, "owner")})
    assert status == 200 and b'href="/api/v1/docs"' in page


def test_the_reference_is_for_members(api):  # noqa: F811
    answer = api.ask("GET", "/docs", scope="")
    assert (answer.status, answer.headers["location"]) == (302, "/sign-in?next=%2Fapi%2Fv1%2Fdocs")


def test_the_command_line_and_the_pages_do_not_load_the_framework():
    code = """
import sys
from oncue.cli import app
try:
    app(["key", "--help"])
except SystemExit:
    pass
from django.conf import settings
from oncue.web import site
settings.configure(INSTALLED_APPS=["oncue.store.apps.StoreConfig", *site.APPS], **site.django_settings("", "127.0.0.1"))
import django
django.setup()
import oncue.web.urls
from oncue.web import api
assert api.ROUTES
print("ninja" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines()[-1] == "False", done.stdout + done.stderr

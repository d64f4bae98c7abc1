"""An oncue that is managed over its API: keys of every scope, and one way to call it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import msgspec
import pytest

from forked import Oncue

RULES = 'api_keys: [{name: shop, key: "${env:SHOP_KEY}"}]\npolicy: {quiet_categories: []}\n'


class Answer(msgspec.Struct):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def detail(self) -> str:
        """Of a problem: its sentence. It must be a problem as documented."""
        assert self.headers["content-type"] == "application/problem+json", self
        problem = self.json()
        assert problem.keys() == {"type", "title", "status", "detail", "errors"}
        assert problem["status"] == self.status
        return str(problem["detail"])

    @property
    def errors(self) -> dict[str, str]:
        """Of a problem: field → sentence."""
        return {one["field"]: one["detail"] for one in self.json()["errors"]}


class Managed(Oncue):
    """With a key of each scope."""

    keys: dict[str, str]

    def make_keys(self) -> None:
        self.keys = {}
        for scope in ("events", "read", "write", "admin"):
            done = self.run("key", "create", f"{scope}-key", "--scope", scope)
            assert done.returncode == 0, done.stderr
            self.keys[scope] = done.stdout.strip()

    def ask(self, method: str, path: str, body: Any = None, *, scope: str = "admin", **headers: str) -> Answer:
        """Call an operation; `path` is what follows `/api/v1`. A body that is not bytes is sent as JSON."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if scope:
            given.setdefault("Authorization", f"Bearer {self.keys[scope]}")
        if body is not None:
            given.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return Answer(*self.call(method, f"/api/v1{path}", body, given))

    def get(self, path: str, scope: str = "read") -> Any:
        """What a GET answers, which must be 200."""
        answer = self.ask("GET", path, scope=scope)
        assert answer.status == 200, answer
        return answer.json()

    def done(self, method: str, path: str, body: Any = None, *, status: int = 200, scope: str = "write") -> Any:
        """What a change answers, which must be as expected."""
        answer = self.ask(method, path, body, scope=scope)
        assert answer.status == status, answer
        return answer.json() if answer.body else None


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    """A running oncue, whose data all tests of a module share."""
    oncue = Managed(tmp_path_factory.mktemp("managed"), rules=RULES)
    with oncue:
        oncue.make_keys()
        yield oncue
    assert "because of a fault" not in oncue.log() and "Warning" not in oncue.log(), oncue.log()


def signed_in(api: Managed, role: str) -> str:
    """The cookie of a member with that role."""
    email, password = f"{role}@example.com", "correct horse battery 7"
    api.run("member", "create", email, "--role", role, "--password-stdin", text=password)
    _, headers, page = api.call("GET", "/sign-in")
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    csrf = SimpleCookie(headers["set-cookie"])["oncue_csrf"].value
    form = f"csrfmiddlewaretoken={token[1].decode()}&email={email}&password={password.replace(' ', '+')}"
    given = {"Cookie": f"oncue_csrf={csrf}", "Content-Type": "application/x-www-form-urlencoded"}
    status, headers, _ = api.call("POST", "/sign-in", form.encode(), given)
    assert status == 302
    return f"oncue_session={SimpleCookie(headers['set-cookie'])['oncue_session'].value}"

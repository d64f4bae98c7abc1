"""Who may do what: every route is asked for by nobody, a viewer, an editor and an owner, and answers as its roles say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import quote, urlencode

import pytest
from booking import SENDER, open_for_bookings
from django.urls import URLPattern

from browsing import ANN, PASSWORD, Site
from oncue.simulator.spawn import Simulator
from oncue.web.access import ANYBODY, ROLES
from oncue.web.urls import urlpatterns

pytestmark = pytest.mark.timeout(
    300
)  # the site and its members take processes of their own, on a machine that may be busy

EVERYBODY = ("", *ROLES)
SHOWN = {200, 204, 302, 422}
DONE = {*SHOWN, 400, 404, 409}
"""Of a form without anything in it."""

NEVER_THERE = {"invitation": 404, "api-operation": 401, "opt_outs-lift": 404, "users-forget": 404, "users-export": 404}
"""A link that was used, an address of the API without a key, an opt-out or a user that is not said which."""


class Client:
    """Somebody's browser: its cookies, and the token of its forms."""

    def __init__(self, site: Site, role: str) -> None:
        self._site = site
        self._cookies: SimpleCookie = SimpleCookie()
        self._role = role
        self._token = ""
        self.enter()

    def enter(self) -> None:
        """Have a form's token; signed in, if it is a member's."""
        page = self.call("GET", "/sign-in")[1] if not self._token else ""
        self._token = self._token or re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
        if self._role:
            form = {"email": f"{self._role}@example.com", "password": PASSWORD, "csrfmiddlewaretoken": self._token}
            assert self.call("POST", "/sign-in", urlencode(form))[0] == 302

    def call(self, method: str, path: str, form: str = "", token: bool = True) -> tuple[int, str, str]:
        """Status, body, and where it leads."""
        headers = {"Cookie": "; ".join(f"{one.key}={one.value}" for one in self._cookies.values())}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            if token:
                headers["X-CSRFToken"] = self._token
        status, answered, body = self._site.call(method, path, form.encode() if method == "POST" else None, headers)
        if path == "/sign-in":
            self._cookies.load(answered.get("set-cookie", ""))
        return status, body.decode("utf-8", "replace"), answered.get("location", "")


@pytest.fixture(scope="module")
def furnished(site: Site, carrier: Simulator) -> Iterator[Site]:
    """With one of each thing that an address may name."""
    open_for_bookings(site, carrier)
    site.event(
        "ann",
        "booking_confirmed",
        {"amount": 12, "booking_id": "B-1"},
        user_properties={"phone_number": ANN, "country": "US"},
    )
    site.wait_for_messages(1, "state = 'accepted'")
    carrier.text(ANN, "Thank you", SENDER)
    site.wait_for_event("twilio.received")
    site.member("sample@example.com", "viewer")
    yield site


@pytest.fixture(scope="module")
def samples(furnished: Site) -> dict[str, str]:
    """What the parts of addresses are filled with: `<screen>.<name>`, else `<name>`."""
    (event,) = furnished.query("SELECT id FROM store_event WHERE name = 'booking_confirmed'")[0]
    (member,) = furnished.query("SELECT id FROM store_member WHERE email = 'sample@example.com'")[0]
    (message,) = furnished.query("SELECT id FROM store_message")[0]
    found = {
        "key": "booking-confirmation",
        "address": ANN,
        "name": "twilio",
        "one": member,
        "token": "used",
        "path": "oncue/app.css",
        "rest": "rules",
        "group": "messages",
    }
    return found | {"messages.id": message, "events.id": event, "users.id": "ann"}


def address(route: URLPattern, samples: dict[str, str]) -> str:
    """The path of a route, each part of it filled in."""
    screen = str(route.name).partition("-")[0]

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        assert f"{screen}.{name}" in samples or name in samples, (
            f"say in `samples` what {name} may be in {route.pattern}"
        )
        return quote(samples.get(f"{screen}.{name}") or samples[name])

    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", fill, str(route.pattern))


def wanted(route: URLPattern, method: str, role: str) -> str:
    """How it should answer: `yes`, `sign in`, `not allowed`, or `nothing to post`."""
    see, change = route.callback.roles  # type: ignore[attr-defined]
    needed = see if method == "GET" else change
    if needed is None:
        return "nothing to post"
    if needed == ANYBODY or (role and ROLES.index(role) >= ROLES.index(needed)):
        return "yes"
    # Whoever signs out is led to where nobody else may go on, either.
    return "yes" if route.name == "sign_out" and not role else "not allowed" if role else "sign in"


def answered(route: URLPattern, method: str, status: int, body: str, place: str) -> str:
    """How it did answer."""
    if status == 405:
        return "nothing to post"
    if status == 403:
        return "not allowed"
    if status in (204, 302) and place.startswith("/sign-in") and route.name != "sign_out":
        return "sign in"
    allowed = {*(SHOWN if method == "GET" else DONE), NEVER_THERE.get(str(route.name), 200)}
    return "yes" if status in allowed else f"{status}: {body[:200]}"


def test_every_route_says_who_may_see_and_change_it():
    assert [route.name for route in urlpatterns if not hasattr(route.callback, "roles")] == []
    assert len({route.name for route in urlpatterns}) == len(urlpatterns)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("role", EVERYBODY, ids=lambda role: role or "anonymous")
def test_every_route_answers_each_role_as_it_says(furnished: Site, samples: dict[str, str], role: str, method: str):
    client = Client(furnished, role)
    wrong = []
    for route in sorted(urlpatterns, key=lambda one: one.name == "sign_out"):
        path = address(route, samples)
        found = answered(route, method, *client.call(method, path))
        if found != (expected := wanted(route, method, role)):
            wrong.append(f"{method} {path} ({route.name}): {expected} was expected, not {found}")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_posted_without_the_token_of_a_form(furnished: Site, samples: dict[str, str]):
    client = Client(furnished, "owner")
    for route in urlpatterns:
        if wanted(route, "POST", "owner") == "yes" and not getattr(route.callback, "csrf_exempt", False):
            assert client.call("POST", address(route, samples), token=False)[0] == 403, route.name


def test_a_session_that_ended_opens_nothing_more(furnished: Site):
    client = Client(furnished, "viewer")
    assert client.call("GET", "/settings")[0] == 200
    assert client.call("POST", "/sign-out")[0] == 302
    assert client.call("GET", "/settings")[2].startswith("/sign-in")


def test_a_member_who_is_disabled_is_out_at_once(furnished: Site):
    furnished.member("gone@example.com", "owner")
    client = Client(furnished, "gone")
    assert client.call("GET", "/settings/members")[0] == 200
    owner = Client(furnished, "owner")
    (one,) = furnished.query("SELECT id FROM store_member WHERE email = 'gone@example.com'")[0]
    assert owner.call("POST", f"/settings/members/{one}/disable")[0] == 302
    assert client.call("GET", "/settings/members")[2].startswith("/sign-in")

"""A member's browser without its engine: cookies, forms, and every page that another leads to. Quick enough to see them all."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from oncue.testing import Oncue

Note = Callable[[str, str], None]


class Crawler:
    """Signs in, posts forms, follows links."""

    def __init__(self, oncue: Oncue) -> None:
        self.oncue = oncue
        self.cookies: SimpleCookie = SimpleCookie()
        self._token = ""

    def ask(self, method: str, path: str, **form: str) -> tuple[int, str]:
        """Status and page."""
        headers = {"Cookie": "; ".join(f"{one.key}={one.value}" for one in self.cookies.values())}
        body = None
        if method == "POST":
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": self._token}
            body = urlencode(form).encode()
        status, answered, content = self.oncue.call(method, path, body, headers)
        if path == "/sign-in":
            self.cookies.load(answered.get("set-cookie", ""))
        return status, content.decode("utf-8", "replace")

    def sign_in(self, email: str, password: str) -> bool:
        """Whether that is right."""
        _, page = self.ask("GET", "/sign-in")
        self._token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
        return self.ask("POST", "/sign-in", email=email, password=password, csrfmiddlewaretoken=self._token)[0] == 302

    def crawl(self, note: Note, most: int = 200) -> set[str]:
        """Every page that can be reached, as far as that many; where it has been. None may fail."""
        waiting, seen = ["/"], set[str]()
        while waiting and len(seen) < most:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            status, page = self.ask("GET", path)
            assert status < 500, path
            note(path, page)
            found = {
                link.partition("#")[0].replace("&amp;", "&") for link in re.findall(r'(?:href|hx-get)="(/[^"]*)"', page)
            }
            waiting += sorted(one for one in found if not one.startswith(("/static", "/live", "/api/v1/docs/")))
        return seen

"""Secrets of every kind, the other sides that repeat them (a partner, a mail server), and an oncue all of whose words are noted by where."""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler
from typing import ClassVar
from urllib.parse import quote

from aiosmtpd.smtp import AuthResult

from crawling import Crawler
from forked import Oncue
from house import Mailbox
from oncue.simulator import defaults

WORD = "c4nary"
SIGNING = "whsec_" + base64.b64encode(b"c4nary signing secret 0123456789").decode()
PLANTED = {
    "Twilio's token": defaults.AUTH_TOKEN,
    "Twilio's API key": defaults.API_KEY_SECRET,
    "the SMTP password": f"{WORD}-smtp/p@ss word",
    "the webhook's signing secret": SIGNING,
    "a webhook's header": f"{WORD}-partner-header-5521",
    "the app's key": f"{WORD}-app-key-0123456789abcdef",
    "ONCUE_SECRET_KEY": f"{WORD}-secret-key-0123456789abcdef0123456789",
    "a member's password": f"{WORD} correct horse battery",
    "a password that was wrong": f"{WORD} wrong password 77",
    "a token that was refused": f"{WORD}0refused0token0of0twilio0000000",
}


class Partner(BaseHTTPRequestHandler):
    """The other side of webhooks, which repeats whatever it is told, and refuses it at first."""

    protocol_version = "HTTP/1.1"
    heard: ClassVar[list[str]] = []
    refusals = 2

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).heard.append(f"{self.path} {body.decode()}")
        refuses = self.path == "/booked" and self.refusals > 0
        type(self).refusals -= refuses
        said = f"You said {body.decode()} with {json.dumps(dict(self.headers))}".encode()
        self.send_response(400 if refuses else 200)
        self.send_header("X-Seen", self.headers.get("X-Api-Key", ""))
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *said: object) -> None:
        pass


class Guarded(Mailbox):
    """A mail server that takes a password, and at first says which it does not take now, whichever way it is told."""

    refusals = 2

    def __init__(self) -> None:
        super().__init__(authenticator=self._let_in, auth_require_tls=False)
        address = self.url.removeprefix("smtp://")
        self.url = f"smtp://shop:{quote(PLANTED['the SMTP password'], safe='')}@{address}"

    def _let_in(self, server: object, session: object, envelope: object, mechanism: str, given: object) -> AuthResult:
        self.refusals -= 1
        if self.refusals >= 0:
            said = given.password.decode()  # type: ignore[attr-defined]
            return AuthResult(success=False, handled=False, message=f"454 4.7.0 not with {said}")
        return AuthResult(success=True)


class Watched:
    """Everything that was said, shown or handed out, by where."""

    def __init__(self, oncue: Oncue) -> None:
        self.oncue = oncue
        self.heard: dict[str, bytes] = {}
        self.once: dict[str, str] = {}
        """Secrets that oncue made itself: what it is → the secret."""
        self.browser = Crawler(oncue)

    def note(self, where: str, content: bytes | str) -> None:
        self.heard[where] = self.heard.get(where, b"") + (content.encode() if isinstance(content, str) else content)

    def run(self, *arguments: str, text: str | None = None, code: int = 0) -> str:
        """A command, whose output is noted."""
        done = self.oncue.run(*arguments, text=text)
        assert done.returncode == code, done.stdout + done.stderr
        self.note("oncue " + " ".join(arguments), done.stdout + done.stderr)
        return done.stdout

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """A call, whose answer is noted with its headers."""
        status, answered, content = self.oncue.call(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        self.note(f"{method} {path}", f"{answered}".encode() + content)
        return status, content

    def browse(self, method: str, path: str, note: bool = True, **form: str) -> tuple[int, str]:
        """As the owner's browser does."""
        status, page = self.browser.ask(method, path, **form)
        if note:
            self.note(f"{method} {path}", page)
        return status, page

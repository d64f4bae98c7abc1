"""What the Twilio tables share: an account, a fake way out that answers from a script, and requests signed with the standard library."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from oncue.core import clock
from oncue.core.adaptor import Outgoing, Request
from oncue.core.http import Answer, NotSent, Response

ACCOUNT = "AC" + "0" * 32
TOKEN = "12345"
SERVICE = "MG" + "0" * 32
SENDER = "+15005550006"
MESSAGE = "0" * 32


class Script:
    """An `Http` that gives the answers of `answer(method, url)` and keeps what was asked."""

    def __init__(self, answer: Callable[[str, str], Answer]) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self._answer = answer

    async def request(self, method: str, url: str, **more: Any) -> Answer:
        self.calls.append((method, url, more))
        return self._answer(method, url)

    def form(self, index: int = -1) -> list[tuple[str, str]]:
        return parse_qsl(self.calls[index][2]["body"].decode(), keep_blank_values=True)


def answering(status: int, body: Any = b"", **headers: str) -> Script:
    """Always this answer."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Script(
        lambda method, url: Response(
            status, {name.replace("_", "-"): value for name, value in headers.items()}, content
        )
    )


def failing(answer: Answer) -> Script:
    return Script(lambda method, url: answer if method == "POST" else NotSent("not asked"))


def outgoing(callback_url: str = "", within: int = 3_600, **fields: Any) -> Outgoing:
    given = {"to": "+16175551212", "from": SENDER, "body": "hello", **fields}
    return Outgoing(
        id=MESSAGE,
        attempt=1,
        fields={name: value for name, value in given.items() if value is not None},
        recipient="+16175551212",
        callback_url=callback_url,
        send_by=clock.now() + within * clock.SECOND,
    )


def sign(url: str, form: list[tuple[str, str]], token: str = TOKEN) -> str:
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def posted(
    door: str, form: dict[str, str], token: str = TOKEN, tail: str = "", signature: str | None = "right"
) -> Request:
    """A form that Twilio posts to `/hooks/twilio/<door>`, signed; `signature` replaces the right one."""
    url = f"https://oncue.example.com/hooks/twilio/{door}" + (f"/{tail}" if tail else "")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if signature == "right":
        signature = sign(url, list(form.items()), token)
    if signature is not None:
        headers["x-twilio-signature"] = signature
    return Request(method="POST", url=url, tail=tail, headers=headers, body=urlencode(form).encode())

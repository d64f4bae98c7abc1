"""Requests as no well-meant client writes them, to a real `oncue serve`. Each is refused, or understood in the one way that a proxy in front
would understand it too: after an answer that keeps the connection, the next request on it is answered with its own answer, and what was
hidden in a request is carried out in no case.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from managing import RULES, Managed, api, signed_in  # noqa: F401 a fixture
from speaking import Said, Speaker

KEY = b"test-key-0123456789abcdef"
ASKING = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def post(event: bytes, *lines: bytes, framed: bool = True, first: bytes = b"POST /v1/events HTTP/1.1") -> bytes:
    """A request with an event; `lines` are further headers."""
    body = b'{"user": "u", "name": "%s"}' % event
    lines = (first, b"Host: localhost", b"Authorization: Bearer " + KEY, *lines)
    if framed:
        lines += (b"Content-Length: %d" % len(body),)
    return b"\r\n".join((*lines, b"", body))


GOOD = b'{"user": "u", "name": "good"}'
HIDDEN = post(b"hidden")
LARGE = b', "properties": {"x": "%b"}' % (b"a" * 900_000)


def framed(*lines: bytes, body: bytes = GOOD, version: bytes = b"1.1") -> bytes:
    """An event, framed as the headers say."""
    lines = (b"POST /v1/events HTTP/" + version, b"Host: localhost", b"Authorization: Bearer " + KEY, *lines, b"", body)
    return b"\r\n".join(lines)


def pieces(*given: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in given) + end


CHUNKED = b"Transfer-Encoding: chunked"
LENGTH = b"Content-Length: %d" % len(GOOD)

REFUSED: dict[str, tuple[int, bytes]] = {
    "a length and chunks": (400, framed(LENGTH, CHUNKED, body=pieces(GOOD) + HIDDEN)),
    "chunks and a length": (400, framed(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n" + HIDDEN)),
    "two lengths": (400, framed(LENGTH, b"Content-Length: 0", body=HIDDEN)),
    "the same length twice": (400, framed(LENGTH, LENGTH)),
    "a list of lengths": (400, framed(b"Content-Length: 29, 29")),
    "a length with a sign": (400, framed(b"Content-Length: +29")),
    "a length below zero": (400, framed(b"Content-Length: -1")),
    "a length in hex": (400, framed(b"Content-Length: 0x1d")),
    "a length past 64 bits": (400, framed(b"Content-Length: " + b"9" * 30)),
    "no length": (400, framed(b"Content-Length:")),
    "a space before the colon": (400, framed(b"Content-Length : 29")),
    "a space before chunked's colon": (400, framed(b"Transfer-Encoding : chunked", body=pieces(GOOD))),
    "chunked twice": (400, framed(CHUNKED, CHUNKED, body=pieces(GOOD))),
    "chunked, then not": (400, framed(CHUNKED, b"Transfer-Encoding: identity", body=pieces(GOOD))),
    "chunked, but not last": (400, framed(b"Transfer-Encoding: chunked, gzip", body=pieces(GOOD))),
    "another encoding": (501, framed(b"Transfer-Encoding: gzip, chunked", body=pieces(GOOD))),
    "no encoding that is known": (501, framed(b"Transfer-Encoding: xchunked", body=pieces(GOOD) + HIDDEN)),
    "identity": (501, framed(b"Transfer-Encoding: identity", body=HIDDEN)),
    "a header over two lines": (400, framed(b"X: a", b" b", LENGTH)),
    "an encoding on the next line": (400, framed(b"Transfer-Encoding:", b" chunked", body=pieces(GOOD))),
    "a piece's size that is none": (400, framed(CHUNKED, body=b"zz\r\n" + HIDDEN)),
    "a piece's size below zero": (400, framed(CHUNKED, body=b"-1\r\n" + HIDDEN)),
    "a piece's size with 0x": (400, framed(CHUNKED, body=b"0x1d\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "a piece's size past 64 bits": (400, framed(CHUNKED, body=b"F" * 20 + b"\r\n" + HIDDEN)),
    "a piece longer than it says": (400, framed(CHUNKED, body=b"5\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "pieces with bare line feeds": (400, framed(CHUNKED, body=b"1d\n" + GOOD + b"\n0\n\n")),
    "an extension with a bare line feed": (400, framed(CHUNKED, body=b"1d;\n" + GOOD + b"\r\n0\r\n\r\n")),
    "an extension without end": (431, framed(CHUNKED, body=b"1d;" + b"a" * 300_000)),
    "a header after the body without end": (431, framed(CHUNKED, body=pieces(GOOD, end=b"0\r\nA: ") + b"a" * 300_000)),
    "a length after the body": (400, framed(CHUNKED, body=pieces(GOOD, end=b"0\r\nContent-Length: 500\r\n\r\n"))),
    "bare line feeds": (400, ASKING.replace(b"\r\n", b"\n")),
    "bare returns": (400, ASKING.replace(b"\r\n", b"\r")),
    "a line feed in a header": (400, ASKING.replace(b"localhost", b"localhost\nX: y")),
    "a return in a header": (400, ASKING.replace(b"localhost", b"localhost\rX: y")),
    "a NUL in a value": (400, ASKING.replace(b"localhost", b"local\0host")),
    "a NUL in a name": (400, ASKING.replace(b"Host:", b"Ho\0st:")),
    "a NUL in the address": (400, ASKING.replace(b"/healthz", b"/health\0z")),
    "a header without a colon": (400, ASKING.replace(b"Host:", b"Host")),
    "a header without a name": (400, ASKING.replace(b"Host:", b":")),
    "no host": (400, b"GET /healthz HTTP/1.1\r\n\r\n"),
    "two hosts": (400, ASKING.replace(b"\r\n\r\n", b"\r\nHost: evil.example\r\n\r\n")),
    "an address without a path": (400, ASKING.replace(b"/healthz", b"http://evil.example")),
    "no method that is known": (400, ASKING.replace(b"GET", b"FOO")),
    "a method in small letters": (400, ASKING.replace(b"GET", b"get")),
    "a tunnel": (400, b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
    "HTTP/0.9": (505, b"GET /healthz\r\n\r\n"),
    "HTTP/2.0 as text": (505, ASKING.replace(b"1.1", b"2.0")),
    "HTTP/1.2": (400, ASKING.replace(b"1.1", b"1.2")),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(20)),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)),
    "an address without end": (431, b"GET /" + b"a" * 300_000),
    "a large address": (431, ASKING.replace(b"/healthz", b"/" + b"a" * 40_000)),
    "a header without end": (431, b"GET / HTTP/1.1\r\nA: " + b"a" * 300_000),
    "a large header": (431, ASKING.replace(b"localhost", b"localhost\r\nA: " + b"a" * 40_000)),
    "headers without end": (431, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 50_000),
    "many headers": (431, ASKING.replace(b"localhost", b"localhost" + b"\r\nA: b" * 101)),
    "letters outside ASCII in the address": (400, ASKING.replace(b"/healthz", b"/\xff\xfe")),
}  # fmt: skip

UNDERSTOOD: dict[str, tuple[tuple[int, ...], bytes]] = {
    "a plain request": ((202,), framed(LENGTH)),
    "a tab before the value": ((202,), framed(b"Content-Length:\t29")),
    "a length with five thousand zeros": ((202,), framed(b"Content-Length: " + b"0" * 5_000 + b"29")),
    "a large body": ((400,), framed(b"Content-Length: %d" % (len(LARGE) + len(GOOD)), body=GOOD[:-1] + LARGE + b"}")),
    "a large body in pieces": ((400,), framed(CHUNKED, body=pieces(GOOD[:-1], *[LARGE[at : at + 1_000] for at in range(0, len(LARGE), 1_000)], b"}"))),
    "pieces": ((202,), framed(CHUNKED, body=pieces(GOOD[:5], GOOD[5:]))),
    "pieces, in capitals": ((202,), framed(b"TRANSFER-ENCODING: CHUNKED", body=pieces(GOOD))),
    "pieces with an extension": ((202,), framed(CHUNKED, body=pieces(GOOD).replace(b"1d\r\n", b"1d;a=b\r\n"))),
    "a key after the body is no key": ((401,), b"GET /api/v1/rules HTTP/1.1\r\nHost: localhost\r\n" + CHUNKED + b"\r\n\r\n0\r\nAuthorization: Bearer " + KEY + b"\r\n\r\n"),
    "empty lines before": ((200,), b"\r\n\r\n" + ASKING),
    "three at once": ((200, 202, 200), ASKING + framed(LENGTH) + ASKING),
    "a request in the body of another": ((200,), ASKING.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN)) + HIDDEN),
    "another host in the address": ((200,), ASKING.replace(b"/healthz", b"http://evil.example/healthz")),
    "an asterisk": ((404,), b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "a page that is to be echoed": ((405,), b"TRACE /sign-in HTTP/1.1\r\nHost: localhost\r\nCookie: a=secret\r\n\r\n"),
    "a page that is to be deleted": ((403,), b"DELETE /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "a websocket": ((403,), b"GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"),
    "an event, in HTTP/2 if you can": ((202, 202), framed(LENGTH, b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AA") + framed(CHUNKED, b"Upgrade: h2c", b"Connection: Upgrade", body=pieces(GOOD))),
    "another protocol, a thousand times": ((200,) * 1_000, ASKING.replace(b"\r\n\r\n", b"\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n") * 1_000),
    "an expectation": ((202,), framed(LENGTH, b"Expect: 100-continue")),
    "letters outside ASCII in headers": ((200,), b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \xff\xfe\r\nCookie: oncue_session=\xff\r\n\r\n"),
    "ninety-nine headers more": ((200,), ASKING.replace(b"localhost", b"localhost" + b"\r\nA: b" * 99)),
    "a head of 32,000 bytes": ((200,), ASKING.replace(b"localhost", b"localhost\r\nA: " + b"b" * 31_900)),
}  # fmt: skip

CLOSED_AFTER: dict[str, tuple[int, bytes]] = {
    "rubbish after a request": (202, framed(LENGTH) + b"RUBBISH"),
    "rubbish in place of the next request": (202, framed(LENGTH) + b"GARBAGE\r\n\r\n" + HIDDEN),
    "another request after `close`": (202, framed(LENGTH, b"Connection: close") + HIDDEN),
    "HTTP/1.0": (202, framed(LENGTH, version=b"1.0") + HIDDEN),
    "pieces in HTTP/1.0": (202, framed(CHUNKED, version=b"1.0", body=pieces(GOOD)) + HIDDEN),
}


@pytest.fixture(scope="module")
def oncue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    with Managed(tmp_path_factory.mktemp("attacked"), rules=RULES, public=False) as running:
        yield running
    log = running.log()
    assert not [line for line in log.splitlines() if "fault" in line or "Traceback" in line or "rror" in line], log
    strange = [line for line in log.splitlines() if "a form was refused" not in line]
    assert len(strange) < 10, f"strangers fill the log: {log}"


def counted(oncue: Managed, name: str) -> int:
    return int(oncue.query("SELECT COUNT(*) FROM store_event WHERE name = ?", name)[0][0])


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused_and_the_connection_closed(oncue: Managed, case: str):
    status, request = REFUSED[case]
    before = counted(oncue, "good")
    with Speaker(oncue.port) as client:
        client.say(request)
        said = client.hear()
        assert said and said.status == status and said.headers["connection"] == "close", said
        assert client.is_closed()
    assert (counted(oncue, "good"), counted(oncue, "hidden")) == (before, 0)


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_what_is_understood_leaves_the_connection_where_the_next_request_begins(oncue: Managed, case: str):
    statuses, request = UNDERSTOOD[case]
    before = counted(oncue, "good")
    with Speaker(oncue.port) as client:
        client.say(request)
        assert tuple(said.status if (said := client.hear()) else None for _ in statuses) == statuses
        client.say(ASKING)
        assert (said := client.hear()) and (said.status, said.body) == (200, b"ok\n")
    assert counted(oncue, "good") == before + statuses.count(202) and counted(oncue, "hidden") == 0


@pytest.mark.parametrize("case", CLOSED_AFTER)
def test_what_comes_before_rubbish_is_answered_and_nothing_after_it(oncue: Managed, case: str):
    status, request = CLOSED_AFTER[case]
    with Speaker(oncue.port) as client:
        client.say(request)
        said = client.hear()
        assert said and said.status == status, said
        assert client.is_closed()
    assert counted(oncue, "hidden") == 0


def ask(
    oncue: Managed, path: str, *lines: str, method: str = "GET", host: str = "localhost", body: bytes = b""
) -> Said:
    """One request, its path as it is."""
    lines = (f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", "Connection: close", *lines)
    with Speaker(oncue.port) as client:
        client.say("\r\n".join((*lines, "", "")).encode("latin-1") + body)
        said = client.hear(head_only=method == "HEAD")
        assert said
        return said


WAYS_IN = [
    *("/api/v1/rules", "/API/v1/rules", "//api/v1/rules", "/api//v1/rules", "/api/v1//rules", "/%61pi/v1/rules", "/api%2fv1/rules"),
    *("/api/v1%2frules", "/api/v1/rules/", "/api/v1/rules%00", "/api/v1/rules;x=y", "/api/v1/./rules", "/api/v1/../v1/rules"),
    *("/x/../api/v1/rules", "/api/v1/%2e%2e/v1/rules", "/api/v1/openapi.json/../rules", "/api/v1/docs/..%2frules", "/static/../api/v1/rules"),
    *("/hooks/../api/v1/rules", "/hooks/..%2fapi/v1/rules", "/api/v1/rules?token=x#", "/api/v1/" + "%2f" * 500, "/sign-in/../rules", "/rules"),
    *("/static/../rules", "/static/%2e%2e/rules", "//rules", "/rules/", "/Rules", "/rules%2f", "/%72ules", "/live", "/settings/members", "/adaptors"),
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("path", WAYS_IN)
def test_no_way_of_writing_a_path_leads_past_the_key_and_the_password(oncue: Managed, path: str, method: str):
    said = ask(oncue, path, method=method)
    assert said.status in (302, 400, 401, 403, 404, 405), said
    if said.status == 302:
        assert said.headers["location"].partition("?")[0] == "/sign-in", said


EVENTS = [
    *("/v1/events", "//v1/events", "/V1/events", "/v1/events/", "/v1//events", "/v1/%65vents", "/v1%2fevents", "/x/../v1/events"),
    *("/v1/events%00", "/v1/events;a", "/hooks/../v1/events", "http://localhost/v1/events"),
]  # fmt: skip


@pytest.mark.parametrize("path", EVENTS)
def test_no_way_of_writing_its_path_takes_an_event_without_a_key(oncue: Managed, path: str):
    said = ask(oncue, path, method="POST", body=b'{"user": "u", "name": "hidden"}')
    assert said.status in (401, 403, 404), said
    assert counted(oncue, "hidden") == 0


@pytest.mark.parametrize("path", ["/%6detrics", "//metrics", "/metrics/", "/Metrics", "/metrics%00", "/hooks/../metrics", "/x/%2e%2e/metrics", "/metrics;a"])  # fmt: skip
def test_what_a_proxy_keeps_to_itself_has_one_way_of_writing_only(oncue: Managed, path: str):
    assert ask(oncue, "/metrics").status == 200
    said = ask(oncue, path)
    assert said.status in (403, 404) and b"oncue_requests_total" not in said.body, said


STATIC = [
    *("/static/../settings.py", "/static/%2e%2e/%2e%2e/settings.py", "/static/oncue/..%2f..%2f..%2fsettings.py", "/static//etc/passwd"),
    *("/static/%2fetc%2fpasswd", "/static/oncue/", "/static/oncue", "/static/..%5c..%5csettings.py", "/static/%00", "/static/oncue%00.css"),
    *("/static/./oncue/../../settings.py", "/static/....//....//settings.py", "/static/" + "a/" * 3_000, "/static/%252e%252e/settings.py"),
]  # fmt: skip


@pytest.mark.parametrize("path", STATIC)
def test_no_file_is_served_but_those_that_are_meant_to_be(oncue: Managed, path: str):
    said = ask(oncue, path)
    assert said.status == 404 and b"import" not in said.body and b"root:" not in said.body, said


HOOKS = ["/hooks/twilio/status/x", "/HOOKS/twilio/status/x", "//hooks/twilio/status/x", "/hooks//twilio/status", "/hooks/%74wilio/status/x", "/hooks/", "/hooks", "/hooks/../hooks/twilio/status/x"]  # fmt: skip


@pytest.mark.parametrize("path", HOOKS)
def test_no_way_of_writing_a_hook_s_path_is_heard_without_a_signature(oncue: Managed, path: str):
    said = ask(
        oncue,
        path,
        "Content-Type: application/x-www-form-urlencoded",
        method="POST",
        body=b"MessageSid=SM1&MessageStatus=sent",
    )
    assert said.status in (403, 404), said


@pytest.fixture(scope="module")
def session(oncue: Managed) -> str:
    """The cookie of an owner."""
    return f"Cookie: {signed_in(oncue, 'owner')}"


ELSEWHERE = [
    *("//evil.example", "///evil.example", "/\\evil.example", "/%09/evil.example", "/%5cevil.example", "https://evil.example", "https:evil.example"),
    *("http:///evil.example", "%20//evil.example", "javascript:alert(1)", "data:text/html,x", "%0d%0a//evil.example", "/%0d%0aSet-Cookie:%20a=b"),
    *("/rules%0d%0aLocation:%20//evil.example", "/%00", "%E2%80%8B//evil.example", "\\\\evil.example", "/sign-in", "/rules?a=%0a"),
]  # fmt: skip


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_signing_in_leads_nowhere_else_and_writes_no_header(oncue: Managed, session: str, wanted: str):
    said = ask(oncue, f"/sign-in?next={wanted}", session)
    where = said.headers["location"]
    assert said.status == 302 and where.startswith("/") and where[1:2] not in ("/", "\\"), said
    assert not {"\r", "\n", "\t"}.intersection(where)
    assert "a=b" not in said.headers.get("set-cookie", ""), said
    page = ask(oncue, f"/sign-in?next={wanted}")
    assert page.status == 200 and b'value="//' not in page.body and b'value="http' not in page.body, page


@pytest.mark.parametrize("path", ["//evil.example/", "//evil.example/..", "/\\evil.example", "/rules/%0d%0aX:%20y", "/rules?%0d%0aX:y", "/%0d%0aX:y", "http://evil.example/rules"])  # fmt: skip
def test_being_sent_to_sign_in_leads_back_to_a_page_of_ours_only(oncue: Managed, path: str):
    for lines in ((), ("HX-Request: true",)):
        said = ask(oncue, path, *lines)
        where = said.headers.get("location") or said.headers.get("hx-redirect") or "/"
        assert where.startswith("/") and not where.startswith("//") and "x" not in said.headers, said
        assert "evil" not in where, said


NAMES = ["evil.example", "localhost.evil.example", "localhost@evil.example", "localhost:8000@evil.example", "localhost:evil", "127.0.0.1.nip.io", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "", "localhost/evil"]  # fmt: skip


@pytest.mark.parametrize("host", NAMES)
def test_pages_are_shown_under_our_own_names_only(oncue: Managed, session: str, host: str):
    """A page elsewhere that gives its name our address reads nothing."""
    for path in ("/sign-in", "/settings/members", "/", "/invitation/x"):
        said = ask(oncue, path, session, host=host)
        assert said.status == 400 and b"<form" not in said.body, said


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1:9", "[::1]", "localhost."])
def test_and_they_are_shown_under_those(oncue: Managed, session: str, host: str):
    assert ask(oncue, "/settings/members", session, host=host).status == 200


def test_behind_a_proxy_the_name_is_whatever_the_proxy_says(tmp_path: Path):
    """nginx sends the name of its upstream unless it is told otherwise. Links are made of ONCUE_PUBLIC_URL, never of this."""
    with Managed(tmp_path, rules=RULES, environ={"ONCUE_PUBLIC_URL": "https://oncue.example.com"}) as oncue:
        session = f"Cookie: {signed_in(oncue, 'owner')}"
        said = ask(oncue, "/settings/members", session, host="upstream")
        assert said.status == 200 and b"upstream" not in said.body


def test_no_header_of_the_request_is_in_a_link(oncue: Managed, session: str):
    lines = [
        f"{name}: evil.example"
        for name in ("X-Forwarded-Host", "X-Host", "X-Original-URL", "X-Rewrite-URL", "Origin", "Referer")
    ]
    for path in ("/sign-in", "/settings/members", "/settings/keys", "/no-such-page", "/static/oncue/none"):
        said = ask(oncue, path, session, *lines, "Forwarded: host=evil.example", "X-Forwarded-Proto: gopher")
        assert b"evil.example" not in said.body and "evil" not in str(said.headers) and b"gopher" not in said.body, said

"""Does a call to the public URL reach this very oncue, and as it was sent? For `oncue doctor`.

A signature covers the whole address, and often the body. So a call like a provider's, headers and body and all, is made to an address at
which oncue tells what reached it; what a proxy on the way takes, adds or changes then has a name, and a remedy.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import SplitResult, urlsplit

import msgspec

from oncue.core import clock
from oncue.core.finding import Finding, ok, problem, unseen, warning
from oncue.core.http import Answer, Response
from oncue.core.probe import Arrival, Probe, fingerprint
from oncue.workers.addresses import is_public
from oncue.workers.probing import IN_CLEAR, Stopped, connect, judge, make, only_here, resolve, said_of

QUERY = "one=1&two=a%26b%20c"
"""Whoever unpacks and packs it again, or leaves it out, is found."""

SLOW = 5.0
"""Seconds. Providers give up after fifteen."""

EXPIRES_WITHIN = 14 * clock.DAY

_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
_KEEP = (
    "It must keep the path and the query as they are; in nginx, write `proxy_pass` with the port and nothing after it."
)

Round = tuple[str, str, Probe]
"""(adaptor, its label, the call its provider would make)."""


async def reach(
    public_url: str, ticket: Callable[[], str], here: Arrival | None, rounds: Sequence[Round]
) -> list[Finding]:
    """Walk the way from the public URL to oncue. `here` is what the process at hand said when it was asked directly, if it runs."""
    findings: list[Finding] = []
    parts = urlsplit(public_url)
    about = "public URL"
    try:
        findings.append(_named(parts, await resolve(parts)))
        await connect(parts)
        findings.append(await _encryption(parts))
        about = "proxy"
        call = _call(public_url, ticket(), rounds)
        began = clock.elapsed()
        arrival = _arrival(await make(call), public_url)
        took = clock.elapsed() - began
    except Stopped as stopped:
        return [*findings, problem(about, stopped.found, stopped.remedy)]
    changed = list(_changed(call, arrival, here))
    findings += changed or [
        ok(
            about,
            f"A call to {public_url} reaches this oncue as it was sent: method, path, query, headers and body. Signatures are checked"
            " against that address, whatever a proxy says of host and scheme.",
        )
    ]
    if took > SLOW:
        findings.append(
            warning(
                about,
                f"The call took {took:.0f} seconds; providers give up after fifteen.",
                "Look what the proxy waits for, and whether the machine is overloaded.",
            )
        )
    return findings + [await _round(one) for one in rounds]


async def _round(one: Round) -> Finding:
    """The call itself, as the provider would make it: does oncue believe its signature?"""
    name, label, call = one
    try:
        return ok(f"{name} callback", judge(await make(call), label, urlsplit(call.url).path))
    except Stopped as stopped:
        return problem(f"{name} callback", stopped.found, stopped.remedy)


def _named(parts: SplitResult, addresses: list[str]) -> Finding:
    host, shown = parts.hostname or "", ", ".join(addresses)
    if any(map(is_public, addresses)):
        return ok("public URL", f"{host} is {shown}.")
    return warning(
        "public URL", only_here(host, shown), "Fine for a simulator; a provider needs a name that leads here from the internet."
    )  # fmt: skip


async def _encryption(parts: SplitResult) -> Finding:
    if parts.scheme == "http":
        return warning("public URL", IN_CLEAR.capitalize(), "Use https on the internet.")
    certificate = await connect(parts, ssl.create_default_context())
    until = ssl.cert_time_to_seconds(str(certificate["notAfter"])) * clock.SECOND if "notAfter" in certificate else 0
    if until and until - clock.now() < EXPIRES_WITHIN:
        days = (until - clock.now()) // clock.DAY
        return warning(
            "public URL", f"Its certificate expires in {days} days.", "Renew it; see why that does not happen by itself."
        )  # fmt: skip
    return ok("public URL", f"Its certificate is good until {clock.iso(until)[:10]}." if until else "Its certificate is good.")  # fmt: skip


def _call(public_url: str, ticket: str, rounds: Sequence[Round]) -> Probe:
    """Headers and body are those of the first provider's call."""
    url = f"{public_url}/hooks/oncue/{ticket}?{QUERY}"
    if rounds:
        return msgspec.structs.replace(rounds[0][2], url=url)
    return Probe(method="POST", url=url, headers=_FORM, body=b"MessageStatus=sent")


def _arrival(answer: Answer, public_url: str) -> Arrival:
    """What oncue says of the call. Raises `Stopped` where it says nothing."""
    if isinstance(answer, Response):
        if answer.status == 200:
            try:
                return msgspec.json.decode(answer.body, type=Arrival)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise Stopped(
                    "The answer is 200, but it is not oncue's: something else answers there.",
                    "Have the proxy pass /hooks/ on to oncue, without answering itself.",
                ) from None
        if answer.status == 404 and said_of(answer):
            raise Stopped(
                "An oncue answers there, but not this one: it has another secret key, or is an older version.",
                "Look which address and port the proxy passes calls on to, and which data directory that oncue serves.",
            )
        target = answer.headers.get("location", "")
        if 300 <= answer.status < 400 and target.startswith(public_url.replace("http://", "https://", 1) + "/"):
            raise Stopped(
                f"The answer is {answer.status}, a redirect to https. A redirect loses what was posted, and a signature holds for one"
                " address only.",
                f"Set ONCUE_PUBLIC_URL={public_url.replace('http://', 'https://', 1)} and start oncue again.",
            )
    judge(answer, "the provider", "/hooks/")
    raise AssertionError("a 200 was read before")


def _changed(call: Probe, arrival: Arrival, here: Arrival | None) -> Iterator[Finding]:
    """What is not as it was sent."""
    parts = urlsplit(call.url)
    if here is None:
        yield unseen(
            "proxy", "An oncue with this installation's key answers there, but none answers on this machine.", "If it runs elsewhere, run `oncue doctor` there."
        )  # fmt: skip
    elif arrival.boot != here.boot:
        yield problem(
            "proxy",
            "Another process answers there than on this machine, with the same secret key.",
            "Look which address and port the proxy passes calls on to; stop the copy that should not run.",
        )
    sent = parts.path
    below = sent[sent.index("/hooks/oncue/") :]
    if arrival.path not in (sent, below):
        shown, came = (one.replace(below, "/hooks/…") for one in (sent, arrival.path))
        yield problem("proxy", f"It changes the path: {shown} arrives as {came}, so no signature holds.", _KEEP)
    if arrival.method != call.method:
        yield problem(
            "proxy", f"It makes a {arrival.method} of a {call.method}.", "Have it pass calls to /hooks/ on as they are."
        )
    if arrival.query != parts.query:
        what = f"arrives as {arrival.query!r}" if arrival.query else "does not arrive"
        yield problem("proxy", f"It changes the query: {parts.query!r} {what}.", _KEEP)
    for name, value in call.headers.items():
        came = arrival.headers.get(name.lower(), "")
        if came != fingerprint(value.encode("latin-1")):
            what = "changes" if came else "takes away"
            yield problem(
                "proxy",
                f"It {what} the header {name}, without which no call can be believed.",
                f"Have it pass all request headers on; in nginx, look for `proxy_set_header {name}` and `proxy_pass_request_headers off`.",
            )
    if arrival.body != fingerprint(call.body):
        what = "takes away the body" if arrival.body == fingerprint(b"") else "changes the body"
        yield problem(
            "proxy",
            f"It {what} of what is posted, which the signature covers.",
            "Have it pass the body on as it is; in nginx, look for `proxy_pass_request_body off` and for filters, elsewhere for a firewall"
            " that rewrites forms.",
        )

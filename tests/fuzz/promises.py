"""What is fuzzed: functions of any bytes, each of which fails with an AssertionError where a promise about them is broken.

`fuzz.py` feeds them with what libFuzzer makes up; `test_fuzz_seeds.py` with the seeds, and with what was found once. A promise is never
"it does not crash" alone: only the declared refusal may be raised, what was taken in reads the same when it is written out and read again,
what comes out is bounded, and where there are two ways to read, they agree. That it ends in time is libFuzzer's to watch (`-timeout`).

Where a function takes several things, a line of `%%` stands between them, so that a seed is a text that a person can read.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from django.conf import settings
from ear import CATALOGUE, NOW, RESERVED, SEGMENT_KEY, SWRVE_KEY, SWRVE_TOKEN, Doors, fit
from reading import LONGEST_SENTENCE, Watched, from_json, parts, said, same, scope_in, texts
from twilio.request_validator import RequestValidator

from inside import request
from oncue.adaptors.twilio import adaptor as twilio
from oncue.core import clock, phone
from oncue.core.adaptor import Heard, Refused, Reply, Request
from oncue.core.items import (
    ConsentItem,
    EventItem,
    Item,
    UserItem,
)
from oncue.core.keeping import BAD_TEXT, unfit_text, unfit_value
from oncue.ingest import answers, build, items
from oncue.rules import conditions, duration, sandbox, templates
from oncue.rules.document import Document, read_document, read_rule, write_document
from oncue.rules.spec import Seen
from oncue.store import database

ACCOUNT, TOKEN = "AC0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"
CONFIG = {"account_sid": ACCOUNT, "auth_token": TOKEN}

# Ingest.


def ingest(data: bytes) -> None:
    """Any body is read as items and sentences; both readers of an event agree; what is taken in survives being written and read again."""
    found = items.read(data, NOW, RESERVED)
    if isinstance(found, str):
        said(found)
        return
    assert 0 < len(found.entries) <= items.MOST_ITEMS
    for entry in found.entries:
        if isinstance(entry, str):
            said(entry)
        else:
            _kept(entry)
    plain = items._plain(data, NOW, RESERVED)
    if plain is not None:
        slow = items._step_by_step(data, NOW, RESERVED)
        assert same(plain, slow), (plain, slow)
    if found.is_single:
        (alone,) = found.entries
        if len(data) < items.MOST_ITEM_BYTES - 20:
            batch = items.read(b'{"items":[' + data + b"]}", NOW, RESERVED)
            assert isinstance(batch, items.Batch), batch
            (among,) = batch.entries
            assert isinstance(among, str) == isinstance(alone, str), (alone, among)
            assert isinstance(among, str) or same(alone, among), (alone, among)


def _kept(item: Item) -> None:
    fit(item)
    again = items.read(msgspec.json.encode(_written(item)), NOW, RESERVED)
    assert isinstance(again, items.Batch), again
    if len(msgspec.json.encode(_written(item))) <= items.MOST_ITEM_BYTES:
        assert same(again.entries[0], item), (item, again.entries[0])


def _written(item: Item) -> dict[str, Any]:
    kind = {EventItem: "event", UserItem: "user", ConsentItem: "consent"}[type(item)]
    given = {name: value for name, value in msgspec.to_builtins(item).items() if value not in ("", None, False)}
    return {"type": kind, **given}


_EAR = build(Doors(), reserved=RESERVED)  # type: ignore[arg-type]
_LOOP = asyncio.new_event_loop()


def sdk(data: bytes) -> None:
    """Method, path and query; content type; body. Whatever comes to the doors for SDKs is answered below 500, and what is taken in can be
    kept. `%KEY%`, `%APIKEY%` and `%TOKEN%` stand for Segment's and Swrve's keys and for a session token."""
    where, kind, body = parts(data, 3)
    for name, value in ((b"%KEY%", SEGMENT_KEY), (b"%APIKEY%", SWRVE_KEY), (b"%TOKEN%", SWRVE_TOKEN)):
        where, body = where.replace(name, value.encode()), body.replace(name, value.encode())
    method, _, path = where.decode("ascii", "replace").partition(" ")
    headers = {b"content-type": kind, b"authorization": b"Bearer " + SEGMENT_KEY.encode(), b"host": b"localhost"}
    before, clock.now = clock.now, lambda: NOW
    try:
        said = _LOOP.run_until_complete(request(_EAR, method, "/" + path.lstrip("/"), body, headers))
    finally:
        clock.now = before
    assert said.status in (200, 202, 204, 400, 401, 403, 404, 405, 413, 415), said
    assert len(said.body) < 100_000 + 200 * len(body), len(said.body)


def unpack(data: bytes) -> None:
    """Any bytes that are called gzip give at most the limit, or are refused with 400 or 413; and what was packed comes out again."""
    limit = 5_000
    try:
        found = answers._unpack(data, limit)
    except answers.Refused as refused:
        assert refused.status in (400, 413)
        said(str(refused))
    else:
        assert len(found) <= limit and found == gzip.decompress(data)
    packed = gzip.compress(data, 1)
    try:
        assert answers._unpack(packed, limit) == data
    except answers.Refused as refused:
        assert refused.status == 413 and len(data) > limit


# Files.

if not settings.configured:
    database.configure(Path(":memory:"))
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())


def table(data: bytes) -> None:
    """A CSV file of users, and one of opt-outs: rows that can be kept, a sentence for each other, or why it cannot be read."""
    from oncue.store import imports, optouts

    with tempfile.NamedTemporaryFile(dir=MEMORY, suffix=".csv") as file:
        file.write(data)
        file.flush()
        try:
            users, faults = imports.read(Path(file.name))
        except imports.Unreadable as unreadable:
            said(str(unreadable))
            users, faults = [], []
    for user, properties in users:
        assert not unfit_text(user, "user") and not unfit_value(properties, "properties")
    entries, more = optouts.read(data.decode("utf-8", "replace"))
    for entry in entries:
        assert entry.address.strip() and entry.scope and not BAD_TEXT.search("".join(msgspec.structs.astuple(entry)))
        again = io.StringIO()
        csv.writer(again).writerows([("address", "scope", "source"), msgspec.structs.astuple(entry)])
        ((same_again,), nothing) = optouts.read(again.getvalue())
        assert (same_again.address, same_again.scope, nothing) == (entry.address, entry.scope, [])
    for fault in (*faults, *more):
        said(fault)


# Callbacks.

READ = {one.name: one.read for one in twilio.inbound}
BASE = "https://oncue.example.com/hooks/twilio/"


def callback(data: bytes) -> None:
    """`status` or `message`, tail and query, content type, signature, body. Without the account's signature nothing is heard; with it,
    nothing is raised, and what is heard can be kept. The signature that counts is the one that Twilio's own package makes."""
    where, kind, given, body = parts(data, 4)
    name, _, tail = where.decode("latin-1").partition("/")
    name = name if name in READ else "status"
    url = BASE + name + ("/" + tail if tail else "")
    headers = {"content-type": kind.decode("latin-1"), "x-twilio-signature": given.decode("latin-1")}
    call = Request(method="POST", url=url, tail=tail.partition("?")[0], headers=headers, body=body)
    for config in (CONFIG, {"account_sid": ACCOUNT}):
        heard = READ[name](config, call)
        assert isinstance(heard, Refused) and heard.status == 403, heard
        said(heard.reason)
    signature = _signature(url, kind, body)
    signed = msgspec.structs.replace(call, headers={**headers, "x-twilio-signature": signature})
    heard = READ[name](CONFIG, signed)
    if isinstance(heard, Refused):
        assert heard.status in (400, 403), heard
        assert "signature does not match" not in heard.reason, (url, body)
        said(heard.reason)
        return
    _heard(heard)
    for changed in (body + b"&x=1", b"MessageStatus=failed&" + body):
        if _pairs(changed) != _pairs(body):  # Twilio signs each pair once, however often it stands there
            forged = READ[name](CONFIG, msgspec.structs.replace(signed, body=changed))
            assert isinstance(forged, Refused) and forged.status == 403, changed


def _signature(url: str, kind: bytes, body: bytes) -> str:
    try:
        form = parse_qsl(body.decode(), keep_blank_values=True) if b"json" not in kind.lower() else []
    except (UnicodeDecodeError, ValueError):
        form = []
    return str(RequestValidator(TOKEN).compute_signature(url.split("#")[0], _Form(form)))


class _Form(dict[str, list[str]]):
    """A form as web frameworks hand it to Twilio's package: a name may have several values."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getall(self, name: str) -> list[str]:
        """Its values."""
        return self[name]


def _pairs(body: bytes) -> set[tuple[str, str]]:
    return set(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _heard(heard: Heard) -> None:
    for report in heard.reports:
        text = msgspec.json.encode(report)
        assert b"\\u0000" not in text, report
        assert report.provider_id
        if isinstance(report, Reply):
            assert report.address and len(report.properties["media_urls"]) <= 10


# Rules.


def condition(data: bytes) -> None:
    """A condition, and the values it is asked of. It is read or refused with sentences, and asking it raises nothing, twice the same."""
    text, values = texts(data, 2)
    parsed = conditions.parse(from_json(text, text))
    if isinstance(parsed, list):
        assert parsed
        for fault in parsed:
            said(fault.sentence)
        return
    for scope in (scope_in(values), {"event": {}, "user": {}}):
        seen = parsed(scope)
        assert same(msgspec.to_builtins(seen), msgspec.to_builtins(parsed(scope)))
        _seen(seen)


def _seen(seen: Seen) -> None:
    assert isinstance(seen.held, bool) and not (seen.held and seen.missing and seen.condition != "not")
    assert len(conditions.to_text(seen)) < 100_000
    for part in seen.parts:
        _seen(part)


def period(data: bytes) -> None:
    """A duration is from one second to thirty days, or a ValueError with a sentence."""
    text = data.decode("utf-8", "replace")
    try:
        found = duration.seconds(text)
    except ValueError as error:
        said(str(error)) if len(text) < 2_000 else None
    else:
        assert 0 < found <= duration.LONGEST and duration.seconds(f"{found}s") == found


def document(data: bytes) -> None:
    """A rules file is read or refused with sentences that have a line; what was read is the same once written and read again."""
    text = data.decode("utf-8", "replace")
    found, faults = read_document(text, "rules.yaml", CATALOGUE, {"TOKEN": TOKEN})
    for fault in faults:
        said(fault.sentence)
        assert 1 <= fault.line <= len(text) + 2
    if not faults:
        again, worse = read_document(write_document(found), "rules.yaml", CATALOGUE, {})
        assert not worse, (worse, write_document(found))
        assert same(_content(again), _content(found)), write_document(found)


def _content(one: Document) -> Any:
    return msgspec.to_builtins((one.api_keys, one.adaptors, one.policy, one.rules))


def rule(data: bytes) -> None:
    """A rule as JSON, as the management API takes it: read, or refused field by field; without a fault a file can hold it."""
    given = from_json(data.decode("utf-8", "replace"), None)
    if not isinstance(given, dict):
        return
    found, faults = read_rule(given, CATALOGUE)
    for fault in faults:
        said(fault.sentence)
    if not faults:
        text = write_document(Document(rules=[found]))
        again, worse = read_document(text, "rules.yaml", CATALOGUE, {})
        assert not worse, (worse, text)
        assert again.rules and same(msgspec.to_builtins(again.rules[0]), msgspec.to_builtins(found)), text


def template(data: bytes) -> None:
    """A template, and the values it is rendered with. It is read or `Wrong`; rendering it gives a bounded text, `MissingValue` or
    `Unrenderable`, touches no file and no socket, and the short way for plain insertions agrees with Liquid."""
    text, values = texts(data, 2)
    scope = scope_in(values)
    for html in (False, True):
        try:
            parsed = templates.parse(text, html=html)
        except templates.Wrong as wrong:
            said(str(wrong))
            continue
        shown = _rendered(parsed, scope)
        assert shown == _rendered(parsed, scope) or "now" in text or "today" in text
        if templates.is_template(text):
            liquid = templates._parse(text, templates._HTML if html else templates._PLAIN)
            assert shown == _rendered(lambda given, it=liquid: templates._text(it, given), scope) or "now" in text
        if not html:
            typed = _rendered(templates.parse(text, typed=True), scope)
            if not isinstance(typed, tuple):
                msgspec.json.encode(typed)


def _rendered(parsed: templates.Rendering, scope: dict[str, Any]) -> Any:
    with Watched():
        try:
            found = parsed(scope)
        except (templates.MissingValue, templates.Unrenderable) as stopped:
            said(str(stopped)[:LONGEST_SENTENCE])
            return type(stopped), str(stopped)
    assert not isinstance(found, str) or len(found) <= max(sandbox.LARGEST, templates.LONGEST)
    return found


# Numbers.


def number(data: bytes) -> None:
    """A phone number, and a country. It is none, or in E.164; and E.164 is read as itself, with any country."""
    text, country = texts(data, 2)
    country = country.strip() if re.fullmatch(r"[A-Z]{2}", country.strip()) else ""
    found, e164 = phone.read(text, country), phone.e164(text, country)
    assert (found.e164 if found else "") == e164
    if found is None:
        return
    assert re.fullmatch(r"\+[0-9]{3,20}", e164), e164
    if found.is_possible:
        assert len(e164) <= 20
        for other in ("", "US", "IE"):
            assert phone.e164(e164, other) == e164, (text, e164, phone.e164(e164, other))


PROMISES: dict[str, Callable[[bytes], None]] = {
    one.__name__: one
    for one in (ingest, sdk, unpack, callback, condition, period, document, rule, template, number, table)
}

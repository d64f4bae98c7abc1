"""The adaptor contract: one folder holds a provider's fields, its sending and its verified inbound.

An adaptor declares what it is; oncue does the rest (claims, pacing, retries, opt-outs, events, forms, docs). Everything here is a
value or a function without hidden state, so an adaptor is tested with a table of cases.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from oncue.core.fields import Fault, Field, read
from oncue.core.finding import Finding, Situation
from oncue.core.http import Http
from oncue.core.outcome import Outcome
from oncue.core.probe import Probe

Config = Mapping[str, Any]
"""An adaptor's configuration, typed by its fields, secrets in clear. Never logged."""


class Lane(msgspec.Struct, frozen=True):
    """What paces a message: all messages with one `key` share `per_second` (0 is no limit)."""

    key: str
    per_second: float = 0.0


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A message that can be sent: its fields in their final form, who gets it, whose opt-outs apply, what paces it."""

    fields: dict[str, Any]
    recipient: str
    scopes: tuple[str, ...] = ()
    """Opt-outs with the recipient's address and one of these scopes forbid the message (a sender number, a messaging service)."""
    lane: Lane
    sender: str = ""
    country: str = ""
    """ISO code of the recipient's country, if known: a rejection that blames a country pauses just that."""
    warnings: tuple[str, ...] = ()


class Impossible(msgspec.Struct, frozen=True):
    """Why this message cannot be sent, found before any call: `field` and a sentence."""

    field: str
    sentence: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the person who gets it will see it, and what is worth knowing of it before it is sent."""

    text: str = ""
    subject: str = ""
    pictures: tuple[str, ...] = ()
    """Addresses of what comes with it."""
    facts: tuple[tuple[str, str], ...] = ()
    """(label, value), such as what the text takes on the wire."""
    warnings: tuple[str, ...] = ()
    """Sentences."""
    segments: int = 0
    """How many parts the provider counts and charges; 0 where it counts none."""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """What `send` is given of a message."""

    id: str
    attempt: int
    fields: dict[str, Any]
    recipient: str
    callback_url: str = ""
    """Where the provider reports what becomes of it; empty when oncue has no public URL and polls instead."""
    send_by: int
    """Milliseconds since the epoch: after this the message is stale."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing an adaptor can do. Its full name in rules is `<adaptor>.<name>`."""

    name: str
    label: str
    help: str
    fields: tuple[Field, ...]
    prepare: Callable[[Config, dict[str, Any], Mapping[str, Any]], Prepared | Impossible]
    """(configuration, rendered and typed fields, the user's properties) → what to send. Pure."""
    send: Callable[[Http, Config, Outgoing], Awaitable[Outcome]] | None
    """None for a built-in action, which the intake carries out itself."""
    check: Callable[[Config, Mapping[str, Any]], list[Fault]] | None = None
    """What is wrong with a rule's fields as written (templates unrendered), said when the rule is saved."""
    preview: Callable[[Mapping[str, Any]], Preview] | None = None
    """Rendered and typed fields → the message as it will look. Pure; what is missing is left out."""
    is_message: bool = True
    """Whether it reaches a person, so that the rule's category and consent apply."""
    respects_quiet_hours: bool = True
    """Of one that reaches a person: whether it can wake them, so that it waits for the morning. An e-mail cannot."""


class EventKind(msgspec.Struct, frozen=True):
    """An event that an adaptor can raise, with the sentence that the UI and the docs show."""

    name: str
    label: str
    sentence: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An incoming call from a provider. `url` is the public URL as configured, with the raw path and query of this request."""

    method: str
    url: str
    tail: str
    """The path after `/hooks/<adaptor>/<inbound>/`: for a status callback, the message id."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The provider says what became of a message: by callback, or found by polling."""

    message_id: str = ""
    """Ours, from the callback's signed URL; empty when only the provider's id is known."""
    provider_id: str
    status: str
    first_status: str = ""
    """What the provider called it at acceptance: raised first if this report is the first proof that it was accepted."""
    implied: tuple[str, ...] = ()
    """Earlier statuses that this one proves, for polling, which sees only the latest."""
    error_code: str = ""
    error_message: str = ""
    sender: str = ""
    recipient: str = ""
    opts_out: bool = False
    """The provider refused for consent: the recipient is opted out in `scopes`."""
    scopes: tuple[str, ...] = ()
    raw: dict[str, Any]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A person wrote to one of our senders."""

    provider_id: str
    address: str
    """Who wrote."""
    sender: str
    """Which of our numbers they wrote to."""
    scopes: tuple[str, ...]
    """What an opt-out in this reply covers."""
    body: str
    consent: str = ""
    """`opted_out`, `opted_in`, `help`, or empty."""
    properties: dict[str, Any]
    """What the event carries."""
    received_at: int = 0
    """Milliseconds, if the provider says; 0 for now."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A verified call: what it reports, and the answer the provider wants."""

    reports: tuple[Status | Reply, ...]
    answer: bytes = b""
    content_type: str = "text/plain"


class Refused(msgspec.Struct, frozen=True):
    """A call that is not from the provider, or not one we can read: answered with `status` and changes nothing."""

    reason: str
    status: int = 403


class Inbound(msgspec.Struct, frozen=True):
    """A door for the provider's calls: `/hooks/<adaptor>/<name>`. Verifies first, and is otherwise pure."""

    name: str
    read: Callable[[Config, Request], Heard | Refused]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What activating an adaptor found. `ok` False keeps it from becoming Active; `found` is shown either way."""

    ok: bool
    sentence: str
    notes: tuple[str, ...] = ()
    found: dict[str, Any] = {}
    """Facts worth keeping: the account's own numbers and services to pick from, its type, …"""


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """What a poll brought, and where to go on. `problem` is a sentence if it could not be done; `after` how long to leave it."""

    reports: tuple[Status | Reply, ...]
    cursor: dict[str, Any] = {}
    problem: str = ""
    after: float | None = None


class Asked(msgspec.Struct, frozen=True):
    """A message whose status is late: the provider's id of it, and when it was made (milliseconds)."""

    provider_id: str
    at: int


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the provider may have or not: the attempt whose answer was lost lay between `since` and `until` (milliseconds, our clock)."""

    message: str
    fields: dict[str, Any]
    since: int
    until: int


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One of the provider's messages to the number in question."""

    status: Status
    """What became of it, without an id of ours."""
    could_be: tuple[str, ...]
    """The sought messages that it may be, by time and sender."""
    reads_like: tuple[str, ...]
    """Those of them whose content it has. Content that differs proves nothing: providers change texts."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider's list shows. `problem` is a sentence if it could not be read; `after` how long to leave it."""

    candidates: tuple[Candidate, ...] = ()
    may_send_again: bool = True
    """Whether members want a message sent again that the list shows was never accepted; else it is held for one of them."""
    problem: str = ""
    after: float | None = None


class Redacted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking a provider to forget what a message says. With no `problem` it is done, and the provider keeps nothing to read."""

    problem: str = ""
    """A sentence: not yet (it is under way there), or not at all."""
    is_unknown: bool = False
    """The provider has no such message: there is nothing to forget."""
    is_ours: bool = False
    """The problem is not the message's: the provider cannot be reached, or takes no request of ours now."""
    after: float | None = None
    """Seconds for which the provider asks to be left alone."""


OWN_PREFIXES = ("oncue.", "message.", "rule.")
"""Event names that begin so are oncue's own."""


def reserved(catalogue: Mapping[str, Adaptor]) -> tuple[str, ...]:
    """Beginnings of event names that neither apps nor rules may use: what oncue and the adaptors raise."""
    return (*OWN_PREFIXES, *(f"{name}." for name, one in catalogue.items() if not one.builtin))


class Adaptor(msgspec.Struct, frozen=True, kw_only=True):
    """A connection to a provider."""

    name: str
    label: str
    help: str
    config: tuple[Field, ...]
    check_config: Callable[[Config], list[Fault]] | None = None
    """Faults across fields, beyond what each field's declaration says; fields that are faulty are left out. Pure."""
    check: Callable[[Http, Config], Awaitable[Checked]] | None = None
    """Are the credentials good? A read that every kind of key may do."""
    actions: tuple[Action, ...]
    events: tuple[EventKind, ...] = ()
    statuses: dict[str, int] = {}
    """Every status of the provider's, ranked: a total order, so that late, repeated and reordered reports end the same."""
    final: frozenset[str] = frozenset()
    failed: str = "failed"
    """The status, and so the event, that a rejection raises."""
    suppressed: str = ""
    """The event that a refusal for consent, or a person's opt-out, raises (without the adaptor's prefix)."""
    opted_in: str = ""
    received: str = ""
    said: tuple[str, ...] = ()
    """Properties of the event `received` that hold what the person wrote."""
    received_id: str = ""
    """The property of it that is the provider's id of what they wrote."""
    inbound: tuple[Inbound, ...] = ()
    status_inbound: str = ""
    """Which inbound a message's status callback goes to; empty if the provider makes none."""
    poll: Callable[[Http, Config, dict[str, Any]], Awaitable[Polled]] | None = None
    """Without a public URL: (http, configuration, cursor) → what is new since."""
    fetch: Callable[[Http, Config, Sequence[Asked]], Awaitable[Polled]] | None = None
    """What became of these, whose callbacks are late? None where a provider cannot say."""
    find: Callable[[Http, Config, str, Sequence[Sought]], Awaitable[Found]] | None = None
    """(http, configuration, recipient, messages) → does the provider have these, whose answers were lost? None where it cannot say."""
    redact: Callable[[Http, Config, str], Awaitable[Redacted]] | None = None
    """(http, configuration, the provider's id) → have the provider forget what that message says, and nothing else of it; asked again, it is
    done again. None where a provider keeps nothing, or cannot be asked."""
    set_inbound: Callable[[Http, Config, str], Awaitable[Checked]] | None = None
    """Have the provider send people's messages to this address (`<public url>/hooks/<adaptor>/<inbound>`)."""
    examine: Callable[[Http, Config, Situation], Awaitable[tuple[Finding, ...]]] | None = None
    """What `oncue doctor` tells of the account beyond `check`, which it takes the place of there: only reads, only what is certain."""
    probe: Callable[[Config, str], Probe] | None = None
    """(configuration, where statuses are reported, publicly) → a call as the provider would make it, that changes nothing: what a member
    checks the way back with. Pure."""
    explain_error: Callable[[str], str] | None = None
    """What one of the provider's error codes means and what to do about it, for people who see the code. Pure."""
    clears_secrets: tuple[str, ...] = ()
    """Configuration fields whose change empties every secret, so that a token never goes to a new address."""
    account: tuple[str, ...] = ()
    """Configuration fields that say whose account it is: what was sent with another cannot be found with this one."""
    builtin: bool = False
    """Needs no configuration and is always active."""

    def action(self, name: str) -> Action | None:
        """The action of that name (without the adaptor's prefix)."""
        for action in self.actions:  # as a generator it would take twice as long, and be asked for twice a message
            if action.name == name:
                return action
        return None

    def read_config(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
        """Type a configuration: (values with defaults filled in, every fault: of each field, and across those that have none)."""
        values, faults = read(self.config, given)
        faulty = {fault.field for fault in faults}
        across = self.check_config(values) if self.check_config else []
        return values, faults + [fault for fault in across if fault.field not in faulty]

    def kept_secrets(self, saved: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Saved secrets that stay, since nothing is said of them; none if a field changes that says where they would be sent."""
        defaults = {field.name: field.default for field in self.config}
        moved = any(given.get(name, defaults.get(name)) != saved.get(name) for name in self.clears_secrets)
        secret = {field.name for field in self.config if field.is_secret}
        return {} if moved else {name: saved[name] for name in saved if name in secret and name not in given}

    def event(self, status: str) -> str:
        """The full name of the event that a status raises."""
        return f"{self.name}.{status}"

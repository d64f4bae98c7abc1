"""Reports: what a provider says became of a message, and what a person wrote back, become events.

Reports come late, twice and in any order; the ranks of the adaptor's statuses make every order end the same, and each status raises
its event once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from oncue.core import clock, ids
from oncue.core.adaptor import Adaptor, Reply, Status
from oncue.core.event import Event
from oncue.core.leaving import reads_like_opt_out
from oncue.core.message import IN_DOUBT, State, later, redacted_on
from oncue.store import consent, tally
from oncue.store.message import Message
from oncue.store.unit import Unit, decode, encode

MAYBE_OPT_OUT = "maybe_opt_out"
"""The flag of a reply that reads like an opt-out, but is no keyword that carriers act on."""

log = logging.getLogger("oncue.store")


def want(unit: Unit, adaptor: str, reports: Sequence[Status | Reply]) -> None:
    """Say what these reports speak of."""
    wanted = unit.wanted
    for one in reports:
        if isinstance(one, Reply):
            unit.want_seen(adaptor, one.provider_id)
            wanted.addresses.add(one.address)
            wanted.pairs.add((one.address, one.sender))
            if one.consent == consent.OPTED_OUT:
                wanted.stops.add(one.address)
        elif one.message_id:
            wanted.messages.add(one.message_id)
        else:
            wanted.provider_ids.add(one.provider_id)
        if isinstance(one, Status) and one.opts_out:
            wanted.addresses.add(one.recipient)


def find(unit: Unit, adaptor: str, status: Status) -> Message | None:
    """The message that a report speaks of: by our id, else by the provider's."""
    if status.message_id:
        message = unit.messages.get(status.message_id)
        return message if message and message.adaptor == adaptor else None
    return unit.by_provider.get((adaptor, status.provider_id))


def take_status(unit: Unit, adaptor: Adaptor, status: Status) -> bool:
    """Move the message's status forward and raise what is new; whether it changed. A report of a message that is not ours changes nothing."""
    message = find(unit, adaptor.name, status)
    if message is None:
        unit.count("report_unmatched", adaptor.name)
        if status.message_id:
            log.warning("a %s report names message %s, which is not here", adaptor.name, status.message_id)
        return False
    was_in_doubt = message.state in (State.UNKNOWN, State.WAITING) or (
        message.state == State.SUBMITTING and message.attempts > 1
    )
    if status.message_id and was_in_doubt:
        _take_back(unit, adaptor, message, status.provider_id)
    before = message.changing()
    told = bool(adaptor.suppressed) and adaptor.suppressed in message.raised.split(",")
    if message.provider_id and status.provider_id and message.provider_id != status.provider_id:
        # Two of the provider's messages for one of ours: a duplicate that someone must see.
        unit.count("provider_id_conflict", adaptor.name)
        log.error("message %s is %s, but a report calls it %s", message.id, message.provider_id, status.provider_id)
    proof_of_acceptance(unit, adaptor, message, status.provider_id, status.first_status, status.sender)
    if status.error_code and not message.error_code:
        message.error_code, message.error_message = status.error_code, status.error_message
    for earlier in status.implied:
        raise_status(unit, adaptor, message, earlier, raw=status.raw)
    advance(adaptor, message, status.status)
    raise_status(
        unit, adaptor, message, status.status, raw=status.raw, code=status.error_code, text=status.error_message
    )
    if status.opts_out and not told:  # told again, it would undo a START that came meanwhile
        refused_for_consent(unit, adaptor, message, status.scopes, f"{adaptor.label} error {status.error_code}")
    is_news = message.changing() != before
    if is_news:  # a repeat costs no write
        unit.change_message(message)
    return is_news


def _take_back(unit: Unit, adaptor: Adaptor, message: Message, provider_id: str) -> None:
    """A callback names its message: what had been bound to another by the provider's list was not that one's, which is in doubt again."""
    unit.load_messages_by_provider({provider_id})  # a statement of its own, for a case that is rare
    other = unit.by_provider.get((adaptor.name, provider_id))
    if other is None or other is message or redacted_on(decode(other.fields)):  # there would be nothing left to send
        return
    log.warning("%s is message %s, not %s as its list seemed to show", provider_id, message.id, other.id)
    other.state, other.reason = State.UNKNOWN, "What was taken for it in the provider's list was another message."
    other.provider_id = other.carrier_status = ""
    unit.change_message(other)


def proof_of_acceptance(
    unit: Unit, adaptor: Adaptor, message: Message, provider_id: str, first: str, sender: str
) -> None:
    """The provider has it, whoever says so first: the state is settled and the first status raised, once."""
    is_news = message.state in (*IN_DOUBT, State.WAITING)
    if is_news:  # waiting again: a retry that was thought provably not sent
        message.state, message.reason = State.ACCEPTED, ""
        message.error_code, message.error_message = "", ""  # of an attempt that was refused before
    message.provider_id = message.provider_id or provider_id
    if provider_id:
        unit.by_provider[adaptor.name, provider_id] = message
    scopes = {sender, message.sender, *message.scope_list()}
    if sender:  # a messaging service has chosen one
        message.sender = sender
    if is_news:
        tally.submitted(unit, message)
    unit.set_conversation(message, scopes)
    if first:
        advance(adaptor, message, first)
        raise_status(unit, adaptor, message, first)


def advance(adaptor: Adaptor, message: Message, status: str) -> None:
    """Keep the later of two statuses. Two different final ones are told in the log: the worse is kept."""
    before = message.carrier_status
    if before != status and before in adaptor.final and status in adaptor.final and "read" not in (before, status):
        log.warning("message %s was %s and is now reported %s; the worse is kept", message.id, before, status)
    message.carrier_status = later(adaptor.statuses, before, status)


def raise_status(
    unit: Unit,
    adaptor: Adaptor,
    message: Message,
    status: str,
    *,
    raw: dict[str, Any] | None = None,
    code: str = "",
    text: str = "",
    refused: bool = False,
) -> None:
    """Raise the event of a status, once for each message. `refused`: it is what a refusal is called, no word of the carrier's."""
    raised = message.raised.split(",") if message.raised else []
    if status in raised:
        return
    message.raised = ",".join([*raised, status])
    unit.change_message(message)
    if refused:
        tally.came_to(unit, message, message.state)
    else:
        tally.carrier_says(unit, message, status)
    event = about(unit, message, adaptor.event(status), status, code, text)
    unit.add_event(event, encode(raw).decode() if raw else "")


def refuse(unit: Unit, message: Message, trigger: dict[str, Any]) -> None:
    """We, or the provider, refused for good: say so with an event, so that a fallback rule can act."""
    unit.triggers.setdefault(message.event, trigger)
    if message.state == State.REJECTED:
        adaptor = unit.snapshot.catalogue[message.adaptor]
        code, text = message.error_code, message.reason
        raise_status(unit, adaptor, message, adaptor.failed, code=code, text=text, refused=True)
        return
    name = {State.EXPIRED: "message.expired"}.get(State(message.state), "message.suppressed")
    status = name.partition(".")[2]
    if status not in message.raised.split(","):
        message.raised = ",".join(filter(None, (message.raised, status)))
        unit.change_message(message)
        tally.came_to(unit, message, status)
        unit.add_event(about(unit, message, name, status, message.error_code, message.reason))


def refused_for_consent(unit: Unit, adaptor: Adaptor, message: Message, scopes: Iterable[str], source: str) -> None:
    """The provider will not deliver because the person opted out there: our ledger follows."""
    is_news = False
    for scope in scopes or message.scope_list():
        known = unit.opt_outs.get((message.recipient, scope))
        if not (known and known.opted_out):
            unit.set_opt_out(message.recipient, scope, opted_out=True, source=source)
            is_news = True
    if is_news:
        unit.count("opt_out", adaptor.name)
    if adaptor.suppressed:
        raise_status(unit, adaptor, message, adaptor.suppressed, code=message.error_code, text=message.error_message)


def about(unit: Unit, message: Message, name: str, status: str, code: str, text: str) -> Event:
    """An event about a message: the properties that design.md fixes, for the same user."""
    return Event(
        id=ids.derived(message.id, name),
        user=message.user,
        name=name,
        properties={
            "message_id": message.id,
            "rule": message.rule,
            "to": message.recipient,
            "from": message.sender,
            "status": status,
            "error_code": code,
            "error_message": text,
            "trigger": unit.triggers.get(message.event, {}),
        },
        timestamp=unit.now,
        source=message.adaptor,
        cause=message.id,
        root=message.root,
        depth=message.depth + 1,
    )


def take_reply(unit: Unit, adaptor: Adaptor, reply: Reply) -> None:
    """A person wrote to us: once, however often the provider says so."""
    if unit.seen_as(adaptor.name, reply.provider_id):
        return
    event_id = ids.new()
    unit.add_seen(adaptor.name, reply.provider_id, event_id)
    user, about_message, shown = _whose(unit, reply)
    at = min(reply.received_at or unit.now, unit.now + clock.MINUTE)
    properties = {**reply.properties, "message_id": about_message, "consent": reply.consent}
    if not user:
        properties["unmatched"] = shown
    received = Event(
        id=event_id, user=user, name=adaptor.event(adaptor.received), properties=properties, timestamp=at,
        source=adaptor.name, root=event_id,
    )  # fmt: skip
    unit.add_event(received, encode(reply.properties).decode())
    flag = MAYBE_OPT_OUT if not reply.consent and reads_like_opt_out(reply.body) else ""
    unit.add_reply(event_id, adaptor.name, user, reply.address, reply.sender, reply.body, reply.consent, flag, at)
    if reply.consent in (consent.OPTED_OUT, consent.OPTED_IN):
        opted_out = reply.consent == consent.OPTED_OUT
        for scope in reply.scopes:
            known = unit.opt_outs.get((reply.address, scope))
            if (
                not opted_out and known and known.opted_out and known.at > at
            ):  # polling a backlog, the later STOP was heard first
                continue
            source = f"replied {reply.body.strip()[:40]!r}"
            unit.set_opt_out(reply.address, scope, opted_out=opted_out, source=source, at=at)
        name = adaptor.event(adaptor.suppressed if opted_out else adaptor.opted_in)
        unit.count("opt_out" if opted_out else "opt_in", adaptor.name)
        if opted_out:
            properties = {**properties, **_stopped(unit, adaptor, about_message)}
        unit.add_event(
            msgspec.structs.replace(
                received, id=ids.derived(event_id, name), name=name, properties=properties, cause=event_id, depth=1
            )
        )


def _stopped(unit: Unit, adaptor: Adaptor, message_id: str) -> dict[str, Any]:
    """What rules ask of a STOP as they ask it of a provider's refusal: of which rule's message it was said. Nothing that the message or its
    trigger says stands in it, for it would have to be found when that is taken away."""
    message = unit.messages.get(message_id)
    rule = message.rule if message else ""
    return {"rule": rule, "status": adaptor.suppressed, "error_code": "", "error_message": ""}


def _whose(unit: Unit, reply: Reply) -> tuple[str, str, str]:
    """(user, message, why there is no user): the one last texted on that pair, else the one user with that number, else nobody."""
    pairs = [(reply.address, scope) for scope in (reply.sender, *reply.scopes)]
    known = [found for pair in pairs if (found := unit.conversations.get(pair))]
    if known:
        user, message = max(known, key=lambda found: found[1])  # ids begin with their time
        return user, message, ""
    owners = unit.owners.get(reply.address, [])
    if len(owners) == 1:
        return owners[0], "", ""
    return "", "", "several users have this number" if owners else "no user has this number"

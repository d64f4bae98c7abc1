"""`oncue test`: what a file's rules would do about an event, by the very functions that would do it. Nothing is sent, nothing is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from oncue.cli.explain import tell_seen
from oncue.cli.listings import Json
from oncue.cli.opened import Opened, open_to_look
from oncue.cli.rules import File, read, report_faults
from oncue.cli.terminal import err, escaped, fail, plain, print_json, say
from oncue.core import clock, ids
from oncue.core.event import Event, User
from oncue.core.items import EventItem
from oncue.core.message import Category
from oncue.core.reasons import SENTENCES
from oncue.ingest import items
from oncue.rules.compile import Compiled, compile_rule
from oncue.rules.document import Document
from oncue.rules.engine import decide
from oncue.rules.spec import Decision, RuleSpec, RuleState
from oncue.store import config, consent, reading
from oncue.store.config import AdaptorConfig, Snapshot
from oncue.store.foresee import REFUSED, WAITS, Foreseen, foresee, imagined
from oncue.store.outbox import Plan
from oncue.store.people import change_properties
from oncue.store.unit import Unit


class Tried(NamedTuple):
    """A rule, what it decided, what would become of each action, and the user as they then are."""

    spec: RuleSpec
    decision: Decision
    foreseen: list[Foreseen]
    person: User


def test(
    file: File,
    user: Annotated[str, typer.Option("--user", help="The user it happens to.")],
    event: Annotated[
        str,
        typer.Option(
            "--event",
            help='The event as JSON, as an app would send it: {"name": "booking_confirmed", "properties": {…}}.',
        ),
    ],
    user_properties: Annotated[
        str, typer.Option("--user-properties", help="Properties as JSON, over those that are stored.")
    ] = "{}",
    as_json: Json = False,
) -> None:
    """What FILE's rules would do about an event, field by field. Nothing is sent, nothing is stored."""
    opened = open_to_look()
    document, faults = read(opened, file)
    faults = [fault for fault in faults if "environment variable" not in fault.sentence]
    if faults:
        report_faults(faults, file, as_json=as_json)
    for draft in document.drafts:
        err.print(f"[yellow]note:[/yellow] {escaped(str(draft))} The rule is off and left out.", soft_wrap=True)
    item = _item(user, event)
    known = reading.user(user)
    who = known["id"] if known else user
    given = {**(item.user_properties or {}), **_object("--user-properties", user_properties)}
    happened = Event(
        id=ids.new(), user=who, name=item.name, properties=item.properties, timestamp=item.timestamp, source="test"
    )
    snapshot = _as_the_file_says(opened, document)
    tried = []
    for spec in document.rules or []:
        compiled = compile_rule(msgspec.structs.replace(spec, state=RuleState.ON), opened.catalogue)
        if happened.name in spec.triggers and isinstance(compiled, Compiled):  # else it is a draft
            unit = imagined(snapshot, spec, clock.now())
            person = _take_in(unit, happened, known["properties"] if known else {}, given)
            decision = decide(compiled, happened, person)
            plans = [Plan(event=happened, user=person, rule=spec, planned=one) for one in decision.planned]
            tried.append(Tried(spec, decision, foresee(unit, plans), person))
    if as_json:
        found = [
            {
                "state": one.spec.state,
                **msgspec.to_builtins(one.decision),
                "foreseen": msgspec.to_builtins(one.foreseen),
            }
            for one in tried
        ]
        print_json(found)
        return
    if not known:
        err.print(f"There is no user {escaped(user)} yet; only what is given here is known of them.")
    if who != user:
        err.print(f"{escaped(user)} is {escaped(who)}.")
    for one in tried:
        _tell(one)
    if not tried:
        _tell_none(file, document, happened)


def _item(user: str, text: str) -> EventItem:
    """The event as the door for apps would read it."""
    given = {"type": "event", "user": user, **_object("--event", text)}
    if given["user"] != user:
        fail(f"--event happens to {given['user']!r}, and --user says {user!r}; leave it out of --event.")
    batch = items.read(msgspec.json.encode(given), clock.now(), ())
    found = batch if isinstance(batch, str) else batch.entries[0]
    if isinstance(found, str):
        fail(f"--event cannot be taken: {found}")
    if not isinstance(found, EventItem):
        fail(f"--event is an event, not an item of type {given['type']!r}.")
    return found


def _object(option: str, text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        fail(f"{option} must be a JSON object: {error}.")


def _as_the_file_says(opened: Opened, document: Document) -> Snapshot:
    """The configuration as it would be with the file applied."""
    stored = config.load(opened.catalogue, opened.vault)
    written = {
        name: AdaptorConfig(name=name, state=spec.state, config=spec.values) for name, spec in document.adaptors.items()
    }
    return msgspec.structs.replace(
        stored, adaptors={**stored.adaptors, **written}, policy=document.policy or stored.policy
    )


def _take_in(unit: Unit, event: Event, known: dict[str, Any], given: dict[str, Any]) -> User:
    """The user as they would be once the event was taken in, with all that it says of their consent."""
    person = unit.users[event.user] = User(id=event.user, properties=dict(known))
    change_properties(unit, person, given, event.timestamp, "test")
    if state := consent.EVENTS.get(event.name):
        unit.load_consents([event.user])
        for category in consent.categories(state, event.properties.get("category", Category.PROMOTIONAL)):
            consent.record(unit, event.user, category, state, "test", event.timestamp)
    return person


def _tell_none(file: Path, document: Document, event: Event) -> None:
    triggers = sorted({trigger for rule in document.rules or [] for trigger in rule.triggers})
    others = f"There are rules for: {', '.join(triggers)}." if triggers else "There are no rules in it."
    say(escaped(f"No rule of {file} is triggered by {event.name}. {others}"))


def _tell(tried: Tried) -> None:
    spec, decision, foreseen, person = tried
    verb = "would act" if decision.acted else "would not act"
    say(
        f"\nRule [bold]{escaped(decision.rule)}[/bold] {verb}: {escaped(decision.sentence or SENTENCES[decision.reason])}"
    )
    if spec.state is RuleState.OFF:
        say("  But the rule is off.")
    elif spec.state is RuleState.TEST and not person.is_test:
        say("  But the rule is in test, and this is not a test user (property test_user: true).")
    for seen in decision.conditions:
        tell_seen(msgspec.to_builtins(seen), 1)
    for one in foreseen:
        _tell_foreseen(one)


def _tell_foreseen(one: Foreseen) -> None:
    say(f"  {one.action}")
    for name, value in one.fields.items():
        say(f"    {escaped(name)}: {escaped(plain(value))}")
    if one.outcome == REFUSED:
        say(f"    [red]would not be sent[/red]: {escaped(one.sentence)}")
        return
    if one.recipient:
        sender = f" from {one.sender}" if one.sender else ""
        say(f"    would go to {escaped(one.recipient)}{escaped(sender)}")
    if one.outcome == WAITS:
        say(f"    [yellow]but not now[/yellow]: {escaped(one.sentence)}")
    for warning in one.warnings:
        say(f"    note: {escaped(warning)}")

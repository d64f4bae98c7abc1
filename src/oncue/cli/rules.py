"""`oncue apply`, `plan`, `export`, `test`: rules and adaptors as a file."""

from __future__ import annotations

import asyncio
import getpass
import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from oncue.cli.listings import Json
from oncue.cli.opened import Opened, open_installation, open_to_look
from oncue.cli.terminal import err, escaped, fail, plain, print_json, say, sentences
from oncue.core import clock, ids
from oncue.core.adaptor import Action, Checked, Impossible, Prepared
from oncue.core.event import Event, User
from oncue.core.reasons import SENTENCES
from oncue.rules.compile import Compiled, compile_rule
from oncue.rules.cycles import cycles
from oncue.rules.document import AdaptorSpec, Document, read_document, write_document
from oncue.rules.duration import seconds
from oncue.rules.engine import decide
from oncue.rules.names import nearest
from oncue.rules.nodes import FileFault
from oncue.rules.spec import Decision, RuleSpec, RuleState, Seen
from oncue.rules.timing import local_time, night, zones_of
from oncue.store import adaptors, reading
from oncue.store import apply as applying
from oncue.store.policy import read_policy
from oncue.store.refusal import Refused
from oncue.workers.checks import check_adaptor

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The rules file (YAML).")]


def apply(
    file: File,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Whether to ask providers if the credentials are good.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Make the configuration what FILE says: all of it or, if anything is wrong, nothing."""
    _change(file, check=check, dry=False, as_json=as_json)


def plan(file: File, as_json: Json = False) -> None:
    """What `oncue apply FILE` would change, without changing it."""
    _change(file, check=False, dry=True, as_json=as_json)


def _change(file: Path, *, check: bool, dry: bool, as_json: bool) -> None:
    opened = open_to_look() if dry else open_installation(make=True)
    document, faults = _read(opened, file)
    found, refused = _check(opened, document, file) if check and not faults else ({}, [])
    faults += refused
    if faults:
        _report_faults(faults, file)
    with sentences(Refused):
        changes = applying.apply(document, opened.catalogue, opened.vault, by=_who(), found=found, dry=dry)
    warnings = _warn(opened, document)
    if as_json:
        print_json({"changes": [msgspec.to_builtins(one) for one in changes], "warnings": warnings})
        return
    for change in changes:
        note = f" ({change.note})" if change.note else ""
        say(
            f"{'would be ' if dry else ''}{change.verb}: {change.kind} [bold]{escaped(change.name)}[/bold]{escaped(note)}"
        )
    if not changes:
        say("Nothing changes: everything is as the file says.")
    for warning in warnings:
        err.print(f"[yellow]note:[/yellow] {escaped(warning)}", soft_wrap=True)


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _read(opened: Opened, file: Path) -> tuple[Document, list[FileFault]]:
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        fail(f"{file} is not a text in UTF-8.")
    return read_document(text, str(file), opened.catalogue, os.environ, _saved(opened))


def _saved(opened: Opened) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in opened.catalogue:
        stored = adaptors.stored(name, opened.vault)
        if stored:
            found[name] = stored.values
    return found


def _report_faults(faults: list[FileFault], file: Path) -> None:
    for fault in faults:
        err.print(escaped(str(fault)), soft_wrap=True)
    one = len(faults) == 1
    fail(
        f"{file} has {len(faults)} fault{'' if one else 's'}; nothing was changed. Mend {'it' if one else 'them'} and try again."
    )


def _check(opened: Opened, document: Document, file: Path) -> tuple[dict[str, dict[str, Any]], list[FileFault]]:
    """(what checking each adaptor that is to be active found, faults). Those that have not changed are not asked again."""
    found: dict[str, dict[str, Any]] = {}
    faults = []
    for name, spec in document.adaptors.items():
        before = adaptors.stored(name, opened.vault)
        if spec.state != adaptors.ACTIVE or (before and before.state == spec.state and before.values == spec.values):
            continue
        checked = asyncio.run(check_adaptor(opened.catalogue[name], spec.values))
        if checked is None:
            continue
        if not checked.ok:
            line = document.lines.get(f"adaptors.{name}", 1)
            faults.append(
                FileFault(str(file), line, f"{checked.sentence} (`--no-check` applies the file all the same.)")
            )
        found[name] = checked.found
        _show_checked(opened, name, checked)
    return found, faults


def _show_checked(opened: Opened, name: str, checked: Checked) -> None:
    if checked.ok:
        err.print(escaped(f"{opened.catalogue[name].label}: {checked.sentence}"), soft_wrap=True)
    for note in (*checked.notes, *inbound_notes(opened, name, checked.found)):
        err.print(f"[yellow]note:[/yellow] {escaped(note)}", soft_wrap=True)


def inbound_notes(opened: Opened, name: str, found: dict[str, Any]) -> list[str]:
    """Which senders' incoming messages do not come to us, where they go now, and what to do."""
    wanted = inbound_url(opened, name)
    if not wanted:
        return []
    notes = [
        f"Incoming messages of {one['name']} go to {one['inbound_url'] or 'nowhere'}, not to {wanted}."
        for one in found.get("senders", [])
        if one.get("inbound_url") not in (wanted, None)
    ]
    return [*notes, f"`oncue check --set-inbound {name}` points them here."] if notes else []


def inbound_url(opened: Opened, name: str) -> str:
    """Where a provider is to send people's messages; empty without a public URL, or if the adaptor hears none."""
    adaptor = opened.catalogue[name]
    doors = [one.name for one in adaptor.inbound if one.name != adaptor.status_inbound]
    public_url = opened.settings.public_url
    return f"{public_url}/hooks/{name}/{doors[0]}" if public_url and doors and adaptor.set_inbound else ""


def _warn(opened: Opened, document: Document) -> list[str]:
    """What is allowed, but probably not meant: events that were never seen, and rules that may trigger one another."""
    rules = document.rules or []
    raised = {f"{adaptor.name}.{kind.name}" for adaptor in opened.catalogue.values() for kind in adaptor.events}
    emitted = {
        str(action.fields.get("name")) for rule in rules for action in rule.actions if action.action == "event.emit"
    }
    known = (
        applying.event_names()
        | raised
        | emitted
        | {"message.suppressed", "message.expired", "oncue.opted_in", "oncue.opted_out"}
    )
    warnings = [
        f"{fault} The rule is off, and cannot be switched on before that is mended." for fault in document.drafts
    ]
    for rule in rules:
        for trigger in rule.triggers:
            if trigger not in known:
                close = nearest(trigger, known)
                hint = f"; did you mean {close}?" if close else "."
                warnings.append(f"Rule {rule.key}: no event {trigger} has been seen yet{hint}")
    for cycle in cycles(rules, opened.catalogue):
        chain = " → ".join((*cycle, cycle[0]))
        warnings.append(f"These rules may trigger one another: {chain}. A chain is cut after 10 links.")
    return warnings


def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead of the terminal.")
    ] = None,
) -> None:
    """The configuration as a file that `oncue apply` takes. Saved secrets stay where they are, and are not in it."""
    opened = open_installation()
    configured: dict[str, AdaptorSpec] = {}
    left_out = []
    for name, adaptor in opened.catalogue.items():
        stored = None if adaptor.builtin else adaptors.stored(name, opened.vault)
        if stored is None:
            continue
        secret = {field.name for field in adaptor.config if field.is_secret}
        values = {key: value for key, value in stored.values.items() if key not in secret}
        left_out += [
            f'#   {name}: {key}: "${{env:{name.upper()}_{key.upper()}}}"' for key in stored.values if key in secret
        ]
        configured[name] = AdaptorSpec(state=stored.state, values=values)
    text = write_document(Document(adaptors=configured, policy=read_policy(), rules=applying.rules()))
    if left_out:
        text = "\n".join(["# Saved secrets are not in this file. To apply it elsewhere, add:", *left_out, text])
    if output:
        try:
            output.write_text(text, "utf-8")
        except OSError as error:
            fail(f"{output} cannot be written ({error.strerror}).")
    else:
        typer.echo(text, nl=False)


def test(
    file: File,
    user: Annotated[str, typer.Option("--user", help="The user it happens to.")],
    event: Annotated[
        str, typer.Option("--event", help='The event as JSON: {"name": "booking_confirmed", "properties": {…}}.')
    ],
    user_properties: Annotated[
        str, typer.Option("--user-properties", help="Properties as JSON, over those that are stored.")
    ] = "{}",
    as_json: Json = False,
) -> None:
    """What FILE's rules would do about an event, field by field. Nothing is sent, nothing is stored."""
    opened = open_to_look()
    document, faults = _read(opened, file)
    faults = [fault for fault in faults if "environment variable" not in fault.sentence]
    if faults:
        _report_faults(faults, file)
    for draft in document.drafts:
        err.print(f"[yellow]note:[/yellow] {escaped(str(draft))} The rule is off and left out.", soft_wrap=True)
    happened = _event(user, event)
    known = reading.user(user)
    person = User(
        id=user, properties={**(known["properties"] if known else {}), **_object("--user-properties", user_properties)}
    )
    decisions = []
    for spec in document.rules or []:
        if happened.name not in spec.triggers:
            continue
        compiled = compile_rule(msgspec.structs.replace(spec, state=RuleState.ON), opened.catalogue)
        if not isinstance(compiled, Compiled):  # a draft
            continue
        decisions.append((spec, decide(compiled, happened, person)))
    if as_json:
        print_json([{"state": spec.state, **msgspec.to_builtins(decision)} for spec, decision in decisions])
        return
    if not known:
        err.print(f"There is no user {escaped(user)} yet; only --user-properties are known of them.")
    for spec, decision in decisions:
        _tell_decision(opened, document, spec, decision, person)
    if not decisions:
        triggers = sorted({trigger for rule in document.rules or [] for trigger in rule.triggers})
        others = f"There are rules for: {', '.join(triggers)}." if triggers else "There are no rules in it."
        say(escaped(f"No rule of {file} is triggered by {happened.name}. {others}"))


def _event(user: str, text: str) -> Event:
    given = _object("--event", text)
    name = given.get("name")
    if not isinstance(name, str):
        fail('--event needs a name: {"name": "booking_confirmed", "properties": {}}.')
    properties = given.get("properties", {})
    if not isinstance(properties, dict) or not given.keys() <= {"name", "properties"}:
        fail("--event has a name and properties, which are a JSON object.")
    return Event(id=ids.new(), user=user, name=name, properties=properties, timestamp=clock.now())


def _object(option: str, text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        fail(f"{option} must be a JSON object: {error}.")


def _tell_decision(opened: Opened, document: Document, spec: RuleSpec, decision: Decision, user: User) -> None:
    verb = "would act" if decision.acted else "would not act"
    say(
        f"\nRule [bold]{escaped(decision.rule)}[/bold] {verb}: {escaped(decision.sentence or SENTENCES[decision.reason])}"
    )
    if spec.state is RuleState.OFF:
        say("  But the rule is off.")
    elif spec.state is RuleState.TEST and not user.is_test:
        say("  But the rule is in test, and this is not a test user (property test_user: true).")
    for seen in decision.conditions:
        _tell_seen(seen, 1)
    for planned in decision.planned:
        say(f"  {planned.action}")
        for name, value in planned.fields.items():
            say(f"    {escaped(name)}: {escaped(plain(value))}")
        if planned.problem:
            say(f"    [red]would not be sent[/red]: {escaped(planned.sentence)}")
        else:
            _tell_prepared(opened, document, spec, planned.action, planned.fields, user)


def _tell_seen(seen: Seen, depth: int) -> None:
    mark = "[green]holds[/green]     " if seen.held else "[red]does not[/red]  "
    saw = "" if seen.parts else "   (there was no value)" if seen.missing else f"   (saw {plain(seen.seen)})"
    say(f"{'  ' * depth}{mark} {escaped(seen.condition)}{escaped(saw)}")
    for part in seen.parts:
        _tell_seen(part, depth + 1)


def _tell_prepared(
    opened: Opened, document: Document, spec: RuleSpec, name: str, fields: dict[str, Any], user: User
) -> None:
    adaptor_name, _, action_name = name.partition(".")
    adaptor = opened.catalogue[adaptor_name]
    action = adaptor.action(action_name)
    given = document.adaptors.get(adaptor_name)
    stored = None if given or adaptor.builtin else adaptors.stored(adaptor_name, opened.vault)
    if action is None or adaptor.builtin:
        return
    if given is None and stored is None:
        say(f"    [red]would not be sent[/red]: the adaptor {adaptor_name} is not configured.")
        return
    prepared = action.prepare(given.values if given else (stored.values if stored else {}), fields, user.properties)
    if isinstance(prepared, Impossible):
        say(f"    [red]would not be sent[/red]: {escaped(prepared.sentence)}")
        return
    sender = f" from {prepared.sender}" if prepared.sender else ""
    say(f"    would go to {escaped(prepared.recipient)}{escaped(sender)}")
    _tell_hour(document, spec, action, prepared, user)
    for warning in prepared.warnings:
        say(f"    note: {escaped(warning)}")


def _tell_hour(document: Document, spec: RuleSpec, action: Action, prepared: Prepared, user: User) -> None:
    """Whether it would wait for the morning, now."""
    policy = document.policy or read_policy()
    if spec.category not in policy.quiet_categories or spec.ignore_quiet_hours:
        return
    if not (action.is_message and action.respects_quiet_hours):
        return
    zones = zones_of(user.properties, prepared.recipient, prepared.country, policy.default_zone)
    quiet = night(policy, zones, clock.now())
    if quiet and quiet.until_at > clock.now() + seconds(spec.send_within) * clock.SECOND:
        say(f"    [red]would not be sent[/red] now: {escaped(quiet.sentence)}, longer than its send_within.")
    elif quiet:
        say(f"    would wait until {local_time(quiet.until_at, quiet.zone)} ({escaped(quiet.zone)})")

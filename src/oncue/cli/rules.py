"""`oncue apply`, `plan`, `export`: rules and adaptors as a file."""

from __future__ import annotations

import asyncio
import getpass
import os
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from oncue.cli.listings import Json
from oncue.cli.opened import Opened, open_installation, open_to_look
from oncue.cli.terminal import err, escaped, fail, print_json, say, sentences
from oncue.core.adaptor import Checked
from oncue.rules.cycles import cycles
from oncue.rules.document import AdaptorSpec, Document, read_document, write_document
from oncue.rules.names import nearest
from oncue.rules.nodes import FileFault
from oncue.store import adaptors
from oncue.store import apply as applying
from oncue.store.policy import read_policy
from oncue.store.refusal import Refused
from oncue.workers.checks import check_adaptor

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The rules file (YAML).")]

MOST_UNSEEN = 20
"""Triggers of which no event has been seen, that are named one by one."""


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
    document, faults = read(opened, file)
    found, refused = _check(opened, document, file) if check and not faults else ({}, [])
    faults += refused
    if faults:
        report_faults(faults, file, as_json=as_json)
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


def read(opened: Opened, file: Path) -> tuple[Document, list[FileFault]]:
    """The file, and what is wrong with it."""
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


def report_faults(faults: list[FileFault], file: Path, *, as_json: bool = False) -> NoReturn:
    """Say each, and end."""
    if as_json:
        print_json({"faults": [msgspec.structs.asdict(fault) for fault in faults]})
        raise typer.Exit(1)
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
    if any(one.get("inbound_url") == "" for one in found.get("senders", [])):
        notes.append(f"`oncue check --set-inbound {name}` points here those that go nowhere.")
    return notes


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
    unseen = [(rule.key, trigger) for rule in rules for trigger in rule.triggers if trigger not in known]
    for key, trigger in unseen[:MOST_UNSEEN]:
        close = nearest(trigger, known)
        hint = f"; did you mean {close}?" if close else "."
        warnings.append(f"Rule {key}: no event {trigger} has been seen yet{hint}")
    if len(unseen) > MOST_UNSEEN:
        warnings.append(f"{len(unseen) - MOST_UNSEEN:,} more triggers are events of which none has been seen yet.")
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

"""`oncue check`: what is wrong with the configuration, in sentences."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import typer

from oncue.cli.listings import Json
from oncue.cli.opened import Opened, open_installation
from oncue.cli.rules import inbound_notes, inbound_url
from oncue.cli.terminal import escaped, fail, print_json, say
from oncue.rules.compile import compile_rule
from oncue.rules.spec import RuleState
from oncue.store import adaptors, apply, keys, reading
from oncue.workers.checks import check_adaptor
from oncue.workers.checks import set_inbound as point


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `level` is ok, note or wrong."""

    level: str
    about: str
    sentence: str


def check(
    network: Annotated[
        bool, typer.Option("--network/--no-network", help="Whether to ask providers if the credentials are good.")
    ] = True,
    set_inbound: Annotated[
        str, typer.Option("--set-inbound", metavar="ADAPTOR", help="Point its senders' incoming messages here.")
    ] = "",
    as_json: Json = False,
) -> None:
    """What is wrong with settings, adaptors and rules. Exit 1 if anything is."""
    opened = open_installation()
    if set_inbound:
        _set_inbound(opened, set_inbound)
        return
    findings = [*_check_place(opened), *_check_adaptors(opened, network), *check_rules(opened), *_check_work()]
    if as_json:
        print_json([msgspec.to_builtins(one) for one in findings])
    else:
        marks = {"ok": "[green]ok[/green]   ", "note": "[yellow]note[/yellow] ", "wrong": "[red]wrong[/red]"}
        for one in findings:
            say(f"{marks[one.level]} {escaped(one.about)}: {escaped(one.sentence)}")
    if any(one.level == "wrong" for one in findings):
        raise typer.Exit(1)


def _set_inbound(opened: Opened, name: str) -> None:
    adaptor = opened.catalogue.get(name)
    stored = adaptors.stored(name, opened.vault) if adaptor else None
    if adaptor is None or stored is None:
        fail(f"The adaptor {name} is not configured.")
    url = inbound_url(opened, name)
    if not url:
        fail(
            f"Set ONCUE_PUBLIC_URL first, to an address that {adaptor.label} can call."
            if adaptor.set_inbound
            else f"{adaptor.label} has no incoming messages."
        )
    checked = asyncio.run(point(adaptor, stored.values, url))
    if not checked.ok:
        fail(checked.sentence)
    say(escaped(checked.sentence))
    for note in checked.notes:
        say(f"[yellow]note[/yellow] {escaped(note)}")


def _check_place(opened: Opened) -> list[Finding]:
    settings = opened.settings
    findings = [Finding("ok", "data", f"{settings.database} is at the current schema.")]
    mode = settings.data_dir.stat().st_mode & 0o777
    if mode & 0o077:
        findings.append(
            Finding(
                "wrong",
                "data",
                f"Others may read {settings.data_dir} (mode {mode:o}); run: chmod 700 {settings.data_dir}",
            )
        )
    if (
        settings.public_url.startswith("http://")
        and "127.0.0.1" not in settings.public_url
        and "localhost" not in settings.public_url
    ):
        findings.append(Finding("note", "public url", "Callbacks arrive unencrypted; use https."))
    if not settings.public_url:
        findings.append(Finding("note", "public url", "ONCUE_PUBLIC_URL is unset: statuses and replies are polled."))
    if not keys.names():
        findings.append(
            Finding("note", "api keys", "There is none, so no app can send events; run: oncue key create NAME")
        )
    return findings


def _check_adaptors(opened: Opened, network: bool) -> list[Finding]:
    findings = []
    for name, adaptor in opened.catalogue.items():
        if adaptor.builtin:
            continue
        stored = adaptors.stored(name, opened.vault)
        if stored is None:
            findings.append(Finding("note", name, "Not configured."))
            continue
        if stored.problem:
            findings.append(Finding("wrong", name, stored.problem))
            continue
        if stored.state != adaptors.ACTIVE:
            findings.append(Finding("note", name, f"Inactive; {adaptors.held(name)} messages wait."))
            continue
        checked = asyncio.run(check_adaptor(adaptor, stored.values)) if network else None
        if checked is None:
            findings.append(Finding("ok", name, "Active."))
            continue
        findings.append(Finding("ok" if checked.ok else "wrong", name, checked.sentence))
        findings += [
            Finding("note", name, note) for note in (*checked.notes, *inbound_notes(opened, name, checked.found))
        ]
    findings += [
        Finding("wrong", row["adaptor"], f"Paused ({row['kind']} {row['key']}): {row['reason']}".replace(" )", ")"))
        for row in reading.pauses()
    ]
    return findings


def check_rules(opened: Opened) -> list[Finding]:
    """What is wrong with rules."""
    findings = []
    rules = apply.rules()
    for rule in rules:
        compiled = compile_rule(rule, opened.catalogue)
        if isinstance(compiled, list):
            findings += [Finding("wrong", f"rule {rule.key}", f"{fault.field}: {fault.sentence}") for fault in compiled]
        for action in rule.actions:
            name = action.action.partition(".")[0]
            adaptor = opened.catalogue.get(name)
            if (
                rule.state is not RuleState.OFF
                and adaptor
                and not adaptor.builtin
                and adaptors.stored(name, opened.vault) is None
            ):
                findings.append(Finding("wrong", f"rule {rule.key}", f"It uses {name}, which is not configured."))
    on = sum(rule.state is RuleState.ON for rule in rules)
    return findings or [
        Finding("ok", "rules", f"{len(rules)} in all, {on} of them on." if rules else "There are none yet.")
    ]


def _check_work() -> list[Finding]:
    states = reading.states()
    findings = []
    if states["unknown"]:
        sentence = f"{states['unknown']} may or may not have been sent; `oncue messages --state unknown` lists them."
        findings.append(Finding("note", "messages", sentence))
    if states["waiting"]:
        findings.append(Finding("note", "messages", f"{states['waiting']} wait for their turn."))
    return findings

"""`oncue doctor`: look at everything that can keep messages from going out or statuses from coming back, and say what to do about it.

It works while oncue runs and while it does not. It only reads: the file, the store, the provider; and it makes calls that change nothing.
"""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from oncue import __version__, adaptors, settings
from oncue.cli.checking import check_rules
from oncue.cli.listings import Json
from oncue.cli.opened import Opened
from oncue.cli.rules import inbound_url
from oncue.cli.terminal import escaped, out, print_json, say
from oncue.core import ids
from oncue.core.finding import Finding, Level, Situation, ok, problem, unseen, warning
from oncue.core.probe import Arrival
from oncue.rules.spec import RuleState
from oncue.settings import Settings, SettingsError
from oncue.store import adaptors as configured
from oncue.store import apply, config, database, place, retention, soundness
from oncue.store.secrets import Vault
from oncue.workers import asking, examining, probing, reaching, standing

Group = tuple[str, list[Finding]]

_MARKS = {
    Level.OK: "[green]ok[/green]     ",
    Level.WARNING: "[yellow]warning[/yellow]",
    Level.PROBLEM: "[red]problem[/red]",
    Level.UNSEEN: "[dim]unseen[/dim] ",
}
_LEVELS = {"ok": Level.OK, "note": Level.WARNING, "wrong": Level.PROBLEM}


def doctor(
    network: Annotated[
        bool, typer.Option("--network/--no-network", help="Whether to ask providers, and call the public URL.")
    ] = True,
    deep: Annotated[
        bool, typer.Option("--deep", help="Look through all of the database, however long it takes.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port that `serve` was told, instead of ONCUE_PORT.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at everything that can go wrong, and say what to do about it. Exit 1 if anything is a problem."""
    logging.getLogger("oncue").setLevel(logging.CRITICAL)  # what is wrong is said as findings
    groups = [(title, found) for title, found in _look(network, deep, port) if found]
    if as_json:
        print_json([{"group": title, **msgspec.to_builtins(one)} for title, found in groups for one in found])
    else:
        _show(groups)
    if any(one.level is Level.PROBLEM for _, found in groups for one in found):
        raise typer.Exit(1)


def _show(groups: list[Group]) -> None:
    """A finding a line: what was looked at, what was found, the remedy. In a terminal, what is too long for a line goes on below itself."""
    for title, found in groups:
        say(f"[bold]{title}[/bold]")
        table = Table.grid(padding=(0, 1))
        for one in found:
            remedy = f" [bold]→[/bold] {escaped(one.remedy)}" if one.remedy else ""
            line = f"{escaped(f'{one.about}: {one.found}')}{remedy}"
            if out.is_terminal:
                table.add_row("", _MARKS[one.level], line)
            else:  # to be searched
                say(f"  {_MARKS[one.level]} {line}")
        if out.is_terminal:
            out.print(table)
    counts = {level: sum(one.level is level for _, found in groups for one in found) for level in Level}
    say()
    say(
        f"Problems: {counts[Level.PROBLEM]}. Warnings: {counts[Level.WARNING]}. In order: {counts[Level.OK]}."
        f" Could not be looked at: {counts[Level.UNSEEN]}."
    )


def _look(network: bool, deep: bool, port: int | None) -> Iterator[Group]:
    machine = [ok("oncue", f"{__version__}, on Python {platform.python_version()}.")]
    try:
        given = settings.read()
    except SettingsError as error:
        yield "Machine", [*machine, problem("settings", str(error), "Everything else depends on it.")]
        return
    if not given.data_dir.exists() or not given.database.exists():
        missing = problem(
            "data directory", f"There is no data of oncue in {given.data_dir}.", "If it is elsewhere, set ONCUE_DATA_DIR; to begin: `oncue serve`."
        )  # fmt: skip
        yield "Machine", [*machine, soundness.sqlite_version(), missing]
        return
    keys, key = place.secret_key(given.data_dir, bool(given.secret_key))
    set_keys = [one for one in (given.secret_key, given.secret_key_before) if one]
    vault = Vault(*(set_keys or keys or [ids.secret()]))  # any key will do where there is none: it opens nothing
    holder = database.holder(given.data_dir)
    looked = soundness.look(given.database, is_running=bool(holder), deep=deep)
    grows_by, is_kept = None, True
    if looked.is_readable:
        database.configure(given.database, only_look=True)
        grows_by = standing.growth(looked.size)
        is_kept = retention.read_retention() == retention.Retention()
    yield (
        "Machine",
        [
            *machine,
            *place.directory(given.data_dir),
            place.room(given.data_dir, grows_by, is_kept),
            key,
            place.backups(given.data_dir),
        ],
    )
    yield "Database", list(looked.findings)
    server = asyncio.run(asking.ask(_here(given, port), vault.ticket(), given.public_url, holder))
    yield "Server", list(server.findings)
    if not looked.is_readable:
        yield "The rest", [unseen("store", "What is in the database cannot be read by this oncue.", "Mend that first.")]
        return
    opened = Opened(given, vault, adaptors.load())
    yield "Public URL", _way_in(opened, server.here, network, bool(holder))
    yield "Adaptors", _adaptors(opened, network)
    yield "Rules", _rules(opened)
    snapshot = config.load(opened.catalogue, vault)
    yield "Work", [*standing.waiting(bool(holder)), *standing.alarms(snapshot, given.public_url)]
    yield "People", list(standing.people(snapshot))


def _here(given: Settings, port: int | None) -> str:
    """Where `serve` answers on this machine: one that listens on every address does so on loopback."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(given.host, given.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port or given.port}"


def _way_in(opened: Opened, here: Arrival | None, network: bool, is_running: bool) -> list[Finding]:
    public_url = opened.settings.public_url
    if not public_url:
        return [
            ok("public URL", "ONCUE_PUBLIC_URL is unset: no callback is asked for; statuses and replies are polled.")
        ]
    if not network:
        return [unseen("public URL", f"{public_url} was not called, as you asked.")]
    if here is None and not is_running:
        return [
            unseen("public URL", f"oncue does not run, so {public_url} was not called.", "Start it, and look again.")
        ]
    rounds = [
        (name, adaptor.label, probing.call_of(adaptor, stored.values, public_url))
        for name, adaptor in opened.catalogue.items()
        if adaptor.probe
        and adaptor.status_inbound
        and (stored := configured.stored(name, opened.vault))
        and not stored.problem
    ]
    return asyncio.run(reaching.reach(public_url, opened.vault.ticket, here, rounds))


def _adaptors(opened: Opened, network: bool) -> list[Finding]:
    used = [
        (rule.key, action.action, action.fields)
        for rule in apply.rules()
        if rule.state is not RuleState.OFF
        for action in rule.actions
    ]
    findings: list[Finding] = []
    for name, adaptor in opened.catalogue.items():
        stored = None if adaptor.builtin else configured.stored(name, opened.vault)
        if stored is not None:
            situation = Situation(incoming_url=inbound_url(opened, name), used=examining.used(adaptor, used))
            findings += asyncio.run(examining.examine(adaptor, stored, situation, network))
    if not network:
        findings.append(unseen("providers", "They were not asked, as you wished."))
    return findings or [warning("adaptors", "None is configured, so nothing can be sent.", "Configure one.")]


def _rules(opened: Opened) -> list[Finding]:
    """What `oncue check` says of them."""
    remedies = {Level.PROBLEM: "Mend it on its page, or in its file.", Level.WARNING: "", Level.OK: ""}
    return [
        Finding(level=_LEVELS[one.level], about=one.about, found=one.sentence, remedy=remedies[_LEVELS[one.level]])
        for one in check_rules(opened)
    ]

"""`oncue backtest FILE`: what the rules of a file would have done with the events of the last days. Nothing is sent or stored."""

from __future__ import annotations

import os
import re
from typing import Annotated

import msgspec
import typer

from oncue.cli.listings import Json
from oncue.cli.opened import Opened, open_installation
from oncue.cli.rules import File
from oncue.cli.terminal import err, escaped, fail, print_json, say
from oncue.core import clock
from oncue.rules.compile import Compiled, compile_rule
from oncue.rules.document import read_document
from oncue.rules.duration import seconds
from oncue.rules.spec import RuleSpec
from oncue.store.backtest import Backtest
from oncue.store.backtest import backtest as replay
from oncue.store.config import load

WITHIN = 120.0
"""Seconds for each rule: a process of its own takes nobody's time."""


def backtest(
    file: File,
    since: Annotated[str, typer.Option("--since", metavar="DURATION", help="How far back, such as 24h or 7d.")] = "7d",
    rule: Annotated[str, typer.Option("--rule", metavar="KEY", help="Only this rule of the file.")] = "",
    as_json: Json = False,
) -> None:
    """What the rules of FILE would have done with the events of the last days, for users as they are now."""
    if not re.fullmatch(r"\s*\d+\s*[smhd]\s*", since):
        fail(f"--since is a duration such as 24h or 7d, not {since!r}.")
    try:
        start = clock.now() - seconds(since) * clock.SECOND
    except ValueError as error:
        fail(f"--since {error}")
    opened = open_installation()
    snapshot = load(opened.catalogue, opened.vault)
    found = [
        (compiled.spec, replay(compiled, snapshot, since=start, within=WITHIN))
        for compiled in _rules(file, rule, opened)
    ]
    if as_json:
        print_json([{"rule": spec.key, **msgspec.to_builtins(one)} for spec, one in found])
        return
    for spec, one in found:
        _tell(spec, one)


def _rules(file: File, key: str, opened: Opened) -> list[Compiled]:
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        fail(f"{file} is not a text in UTF-8.")
    document, faults = read_document(text, str(file), opened.catalogue, os.environ)
    if faults:
        for fault in faults:
            err.print(escaped(str(fault)), soft_wrap=True)
        fail(f"{file} has faults; mend them and try again.")
    for draft in document.drafts:
        err.print(f"[yellow]note:[/yellow] {escaped(str(draft))} The rule is off and left out.", soft_wrap=True)
    found = [one for one in document.rules or [] if not key or one.key == key]
    if not found:
        fail(f"There is no rule {key!r} in {file}." if key else f"There is no rule in {file}.")
    rules = [compiled for one in found if isinstance(compiled := compile_rule(one, opened.catalogue), Compiled)]
    if not rules:
        fail(f"{file} has faults; mend them and try again.")
    return rules


def _tell(spec: RuleSpec, found: Backtest) -> None:
    say(
        f"[bold]{escaped(spec.key)}[/bold]: {found.matched} of {found.evaluated} events would have made it act; {found.looked_at} were looked at."
    )
    if found.why:
        say(f"  [yellow]note[/yellow] {escaped(found.why)}")
    if found.sends or found.waits:
        segments = f", about {found.segments} segments" if found.segments else ""
        waits = f", {found.waits} of which would have waited" if found.waits else ""
        say(f"  {found.sends + found.waits} messages to {found.people} people{segments}{waits}")
    if found.does:
        say(f"  {found.does} actions that send nothing")
    for sentence, count in found.refused.items():
        say(f"  not sent, {count}: {escaped(sentence)}")
    for sentence, count in found.not_matched.items():
        say(f"  did not act, {count}: {escaped(sentence)}")

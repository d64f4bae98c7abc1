"""The command line: `oncue VERB`. Every listing takes `--json`; an error is one sentence that says what to do, and exit 1."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from oncue import __version__
from oncue.cli import (
    backtest,
    backup,
    checking,
    demo,
    doctor,
    explain,
    listings,
    people,
    person,
    rotate,
    rules,
    serve,
    simulate,
    trial,
)
from oncue.cli.terminal import err, escaped
from oncue.store import database


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"oncue {__version__}")
        raise typer.Exit


app = typer.Typer(
    help="oncue sends the right message on cue.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def oncue(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_tell_version)
    ] = False,
) -> None:
    """oncue sends the right message on cue."""


app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("simulate")(simulate.simulate)
app.command("apply")(rules.apply)
app.command("plan")(rules.plan)
app.command("export")(rules.export)
app.command("test")(trial.test)
app.command("backtest")(backtest.backtest)
app.command("check")(checking.check)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("messages")(listings.messages)
app.command("events")(listings.events)
app.command("opt-outs")(listings.opt_outs)
app.command("explain")(explain.explain)
app.command("rotate-secrets")(rotate.rotate_secrets)
app.command("forget")(person.forget)
people.user_commands.command("export")(person.export)
app.add_typer(people.user_commands, name="users")
app.add_typer(people.key_commands, name="key")
app.add_typer(people.member_commands, name="member")


def main() -> None:
    """The `oncue` program. A database that is locked, full or read-only is a sentence, whatever the command."""
    try:
        app()
    except Exception as error:
        if not database.is_at_fault(error):
            raise
        err.print(f"[red]oncue:[/red] {escaped(database.sentence(error))}", soft_wrap=True)
        sys.exit(1)

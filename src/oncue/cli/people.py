"""`oncue key`, `oncue member`, `oncue users import`: who may send events, who may sign in, and whom messages go to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from django.db import transaction
from rich.progress import Progress

from oncue.cli.listings import Json, show_user, show_users
from oncue.cli.opened import open_installation
from oncue.cli.terminal import err, escaped, fail, print_json, say, sentences
from oncue.store import imports, keys, members

key_commands = typer.Typer(help="API keys, which apps send events with.", no_args_is_help=True)
member_commands = typer.Typer(help="Members, who sign in to the web UI.", no_args_is_help=True)
user_commands = typer.Typer(help="Users, whom messages go to.", no_args_is_help=True)


@key_commands.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for, such as `shop-server`.")],
    per_second: Annotated[float, typer.Option(min=0, help="Items a second it may send; 0 is no limit.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Make an API key and show it, once."""
    open_installation()
    with sentences(keys.Taken), transaction.atomic():
        token = keys.create(name, per_second)
    if as_json:
        print_json({"name": name, "key": token})
        return
    say(token)
    err.print("Keep it: it is not shown again. Apps send it as `Authorization: Bearer …`.")


@key_commands.command("list")
def list_keys(as_json: Json = False) -> None:
    """The names of the keys. Keys themselves are not kept."""
    open_installation()
    names = keys.names()
    if as_json:
        print_json(names)
        return
    for name in names:
        say(escaped(name))
    if not names:
        say("There is no API key yet; make one with `oncue key create NAME`.")


@member_commands.command("create")
def create_member(email: str, as_json: Json = False) -> None:
    """Make a member with a fresh password, and show it, once."""
    open_installation()
    with sentences(members.Refused), transaction.atomic():
        password = members.create(email)
    _show_password(email, password, as_json)


@member_commands.command("reset")
def reset_member(email: str, as_json: Json = False) -> None:
    """Give a member a fresh password."""
    open_installation()
    with sentences(members.Refused), transaction.atomic():
        password = members.reset(email)
    _show_password(email, password, as_json)


def _show_password(email: str, password: str, as_json: bool) -> None:
    if as_json:
        print_json({"email": email, "password": password})
        return
    say(f"{escaped(email)} signs in with the password {escaped(password)}")
    err.print("Keep it: it is not shown again.")


user_commands.command("list")(show_users)
user_commands.command("show")(show_user)


@user_commands.command("import")
def import_users(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header; the column `user` is their id.")
    ],
    as_json: Json = False,
) -> None:
    """Take users in from a CSV file: each column but `user` becomes a property. Nobody who opted out is opted in by it."""
    opened = open_installation()
    with sentences(imports.Unreadable):
        rows, faults = imports.read(file)
    if faults:
        for fault in faults[:20]:
            err.print(escaped(fault), soft_wrap=True)
        fail(f"{len(faults)} rows of {file} are wrong; nothing was imported. Mend them and import again.")
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("importing", total=len(rows))
        done = imports.take(
            opened.catalogue, opened.vault, rows, file.name, lambda count: progress.advance(task, count)
        )
    if as_json:
        print_json({"users": done.users, "still_opted_out": done.still_opted_out})
        return
    say(f"{done.users} users were taken in.")
    if done.still_opted_out:
        say(f"{done.still_opted_out} of them had opted out and stay so, whatever the file says.")

"""`oncue key`, `oncue member`, `oncue users import`: who may send events, who may sign in, and whom messages go to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from django.db import transaction
from rich.progress import Progress

from oncue.cli.listings import Json, show_user, show_users
from oncue.cli.opened import open_installation
from oncue.cli.terminal import err, escaped, fail, print_json, print_rows, say, sentences, when
from oncue.core.items import Source
from oncue.settings import Settings
from oncue.store import audit, imports, invitations, keys, members
from oncue.web.snippets import snippets

key_commands = typer.Typer(
    help="API keys, which apps send events with and programs manage oncue with.", no_args_is_help=True
)
member_commands = typer.Typer(help="Members, who sign in to the web UI.", no_args_is_help=True)
user_commands = typer.Typer(help="Users, whom messages go to.", no_args_is_help=True)


@key_commands.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for, such as `shop-server`.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help=f"What it may do: {', '.join(keys.SCOPES)}; repeat it for several. Without it: {keys.EVENTS}."
        ),
    ] = None,
    per_second: Annotated[float, typer.Option(min=0, help="Items a second it may send; 0 is no limit.")] = 0.0,
    source: Annotated[
        Source,
        typer.Option(
            help="Whose format it opens: `native` is our own; the SDKs of Segment (and RudderStack), or of Swrve."
        ),
    ] = Source.NATIVE,
    app: Annotated[int, typer.Option(min=0, help="The number of a Swrve app, such as 4567.")] = 0,
    value: Annotated[
        str, typer.Option(help="The key that apps which are out already send, for an SDK's; without it one is made.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Make an API key and show it, once, with what to paste to use it."""
    opened = open_installation(make=True)
    scopes = scope or [keys.EVENTS]
    with sentences(keys.Taken), transaction.atomic():
        token = keys.create(name, per_second, scopes, source=source, app=app, value=value, vault=opened.vault)
    if as_json:
        print_json({"name": name, "key": token, "source": source} | ({"app": app} if app else {}))
        return
    say(escaped(token))
    err.print("Keep it: it is not shown again.")
    for title, text in snippets(_address(opened.settings), token, source=source, app=app, scopes=scopes):
        err.print(f"\n[bold]{title}[/bold]\n{escaped(text)}", soft_wrap=True, highlight=False)


@key_commands.command("list")
def list_keys(as_json: Json = False) -> None:
    """The keys' names, and what they may do. Keys themselves are not shown."""
    open_installation()
    columns = {
        "name": lambda row: row["name"],
        "source": lambda row: row["source"] + (f", app {row['app']}" if row["app"] else ""),
        "may": lambda row: ", ".join(row["scopes"]),
        "items/s": lambda row: f"{row['per_second']:g}" if row["per_second"] else "no limit",
        "since": lambda row: when(row["created_at"]),
    }
    print_rows(
        keys.listed(),
        columns,
        as_json=as_json,
        nothing="There is no API key yet; make one with `oncue key create NAME`.",
    )


@key_commands.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="The key's name, as `oncue key list` shows it.")]) -> None:
    """Have a key known no more: what uses it is refused from its next call on."""
    open_installation()
    with transaction.atomic():
        one = next((row["id"] for row in keys.listed() if row["name"] == name), "")
        if not one:
            fail(f"There is no API key named {name!r}; `oncue key list` shows their names.")
        keys.revoke(one, audit.COMMAND_LINE)
    say(f"The key {escaped(name)} is revoked.")


@member_commands.command("create")
def create_member(
    email: str,
    role: Annotated[str, typer.Option(help=f"What they may do: {', '.join(members.ROLES)}.")] = "owner",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read their password from standard input instead of making one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a member. With a fresh password, shown once, unless theirs is given on standard input."""
    open_installation(make=True)
    with sentences(members.Refused):
        if password_stdin:
            email = _add(email, role, sys.stdin.readline().rstrip("\r\n"))
            if as_json:
                print_json({"email": email, "role": role})
            else:
                say(f"{escaped(email)} can sign in as {escaped(role)}.")
            return
        with transaction.atomic():
            password = members.create(email, role)
    _show_password(email, password, "", as_json)


@member_commands.command("list")
def list_members(as_json: Json = False) -> None:
    """Members: what they may do, since when, and who cannot sign in any more."""
    open_installation()
    columns = {
        "e-mail": lambda row: row["email"],
        "role": lambda row: row["role"],
        "since": lambda row: when(row["created_at"]),
        "disabled": lambda row: when(row["disabled_at"]),
    }
    nothing = "There is no member yet; make one with `oncue member create EMAIL`."
    print_rows(members.listed(), columns, as_json=as_json, nothing=nothing)


@member_commands.command("reset")
def reset_member(email: str, as_json: Json = False) -> None:
    """Give a member a fresh password, end their sessions, and print a link by which they choose one of their own."""
    opened = open_installation()
    with sentences(members.Refused), transaction.atomic():
        password = members.reset(email)
        token = invitations.renew_password(email, audit.COMMAND_LINE)
    _show_password(email, password, _link(opened.settings, token), as_json)


def _add(email: str, role: str, password: str) -> str:
    email = members.address(email)
    if members.by_email(email):
        raise members.Refused(f"{email} is a member already; `oncue member reset {email}` gives them a new password.")
    hashed = members.password_hash(password, email)
    with transaction.atomic():
        members.add(email, role, hashed, audit.COMMAND_LINE)
    return email


def _link(settings: Settings, token: str) -> str:
    return f"{_address(settings)}/invitation/{token}"


def _address(settings: Settings) -> str:
    return settings.public_url or f"http://{settings.host}:{settings.port}"


def _show_password(email: str, password: str, link: str, as_json: bool) -> None:
    if as_json:
        print_json({"email": email, "password": password} | ({"link": link} if link else {}))
        return
    say(f"{escaped(email)} signs in with the password {escaped(password)}")
    if link:
        say(f"or chooses another at {escaped(link)} (works once, for a day)")
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
    opened = open_installation(make=True)
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

"""`oncue forget` and `oncue users export`: one person's data, erased or handed out."""

from __future__ import annotations

from typing import Annotated

import typer
from django.db import transaction

from oncue.cli.opened import open_installation
from oncue.cli.terminal import fail, print_json, say, sentences
from oncue.store import audit, person
from oncue.store.refusal import Refused

User = Annotated[str, typer.Argument(metavar="USER", help="Their id.")]


def export(user: User) -> None:
    """All that is kept of one person, as JSON."""
    open_installation()
    found = person.everything(user)
    if found is None:
        fail(f"Nothing is kept of {user!r}.")
    print_json(found)


def forget(
    user: User,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase all that is kept of one person, here and at the provider, and look whether anything is left. It cannot be undone."""
    opened = open_installation()
    if person.everything(user) is None:
        fail(f"Nothing is kept of {user!r}.")
    if not yes:
        typer.confirm(f"Erase all that is kept of {user}? It cannot be undone.", abort=True)
    with sentences(Refused), transaction.atomic():
        done = person.forget(user, audit.COMMAND_LINE, opened.catalogue)
    if done is None:
        fail(f"Nothing is kept of {user!r}.")
    counts = ", ".join(f"{count} {what}" for what, count in done.erased.items() if count)
    say(f"Erased: {counts or 'their properties'}.")
    if left := person.left(done.user, done.addresses):
        places = ", ".join(f"{table} ({count} rows)" for table, count in left)
        fail(f"Their id or an address of theirs is still found in {places}; please report this.")
    say("Every table was read: their id and their addresses are found nowhere.")
    if done.opted_out:
        say(f"But for {done.opted_out} opt-outs, which stay, so that they are never texted again.")
    if done.at_provider:
        say(f"The provider is asked to forget what {done.at_provider} messages say, as soon as oncue runs.")
    say("Backups that were made before are out of oncue's hands.")

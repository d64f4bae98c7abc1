"""`oncue backup` and `oncue restore`: the data as one file, and back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from oncue.cli.listings import Json
from oncue.cli.opened import need_data, open_installation, read_settings
from oncue.cli.terminal import escaped, fail, print_json, say, sentences, when
from oncue.core import clock
from oncue.store import backup as backups
from oncue.store import database
from oncue.store.backup import Made, Unusable


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; it must not be there yet.")],
    as_json: Json = False,
) -> None:
    """Copy all data into one file, while oncue runs. It is checked before it is kept."""
    settings = read_settings()
    need_data(settings)
    with sentences(Unusable):
        made = backups.make(settings.database, file)
    backups.note(settings.data_dir, made)
    if as_json:
        print_json(msgspec.to_builtins(made))
        return
    say(f"{escaped(str(file))}: {_about(made)}. Checked.")
    say(
        "Saved secrets in it are encrypted; the key is not. Keep that elsewhere: ONCUE_SECRET_KEY, or secret.key in the data directory."
    )


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put aside the data that is there.")] = False,
) -> None:
    """Have the data directory hold what a backup held. oncue must not be running on it."""
    settings = read_settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.database.exists() and not replace:
        fail(f"There is data in {settings.data_dir} already. With --replace it is put aside, in the same directory.")
    with sentences(Unusable, database.InUse), database.lock(settings.data_dir):
        made, in_doubt = backups.put_back(file, settings.database)
        open_installation(settings)
    say(f"Restored: {_about(made)}.")
    say(
        "What was changed since then is as it was: opt-outs, revoked keys, rules. Look at those before you start oncue."
    )
    if in_doubt:
        say(
            f"{in_doubt} messages that waited then may have been sent since; they are unknown, and looked for at their provider"
            " before anything is sent again."
        )


def _about(made: Made) -> str:
    ago = timedelta(seconds=max(0, clock.now() - made.at) // clock.SECOND)
    size = f"{made.size / 1_000_000:,.1f} MB"
    return f"{made.events:,} events and {made.messages:,} messages as of {when(made.at)} UTC ({ago} ago), {size}"

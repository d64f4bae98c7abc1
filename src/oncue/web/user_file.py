"""Users from a CSV file: what is in it and what is wrong with it, and taking them in with the promises of `oncue users import`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from oncue.store import audit, imports
from oncue.store.imports import Imported, Row
from oncue.store.user_edits import BATCH, ImportUsers
from oncue.web.backstage import behind


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The users in a file, and a sentence for each line that is wrong."""

    users: list[Row]
    faults: list[str]


def read(name: str, content: bytes) -> Content | str:
    """What the file says, or why it cannot be read."""
    with tempfile.TemporaryDirectory(prefix="oncue-") as folder:
        path = Path(folder) / "users.csv"
        path.write_bytes(content)
        try:
            users, faults = imports.read(path)
        except imports.Unreadable as unreadable:
            return str(unreadable).replace(str(path), name)
    return Content(users=users, faults=[one.replace(f"{path}:", "Line ", 1) for one in faults])


def take_in(content: Content, name: str, by: str) -> Imported:
    """Take the users in, a batch at a time: a long file takes turns with everything else."""
    taken = left_out = 0
    for start in range(0, len(content.users), BATCH):
        done: Imported = behind().do(ImportUsers(rows=content.users[start : start + BATCH], source=name))
        taken, left_out = taken + done.users, left_out + done.still_opted_out
    note = f"{taken} users, {len(content.faults)} lines left out, {left_out} opt-ins left out"
    behind().change(lambda: audit.record(by, "imported", "user", name, note=note))
    return Imported(taken, left_out)

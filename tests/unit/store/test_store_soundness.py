"""What doctor sees of the database file and of the directory it lies in."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from inside import Inside, fresh_database, point_at, turn
from oncue.core import clock
from oncue.core.finding import Finding, Level
from oncue.store import backup, database, place, secrets, soundness


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A migrated file without data, and nobody has it open."""
    here = tmp_path / "oncue.db"
    point_at(here)
    here.write_bytes(fresh_database(tmp_path.parent).read_bytes())
    yield here


def look(path: Path, **how: bool) -> dict[str, Finding]:
    found = soundness.look(path, is_running=how.get("is_running", False), deep=how.get("deep", False))
    return {one.about: one for one in found.findings}


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        for statement in statements:
            file.execute(statement)


@pytest.mark.parametrize("deep", [False, True])
def test_a_whole_file_of_this_version_is_in_order_and_stays_as_it_is(path: Path, deep: bool):
    before = path.read_bytes()
    found = look(path, deep=deep)
    assert {one.level for one in found.values()} == {Level.OK}
    assert ("integrity_check" if deep else "quick_check") in found["integrity"].found
    assert soundness.look(path, is_running=True, deep=deep).is_readable
    assert path.read_bytes() == before


def test_a_damaged_file_is_told(path: Path):
    change(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 3 + 2000] = b"\xff" * 2000
    path.write_bytes(content)
    found = look(path)
    (said,) = (one for one in found.values() if one.level is Level.PROBLEM)
    assert "restore" in said.remedy


def test_what_is_no_database_or_no_database_of_oncue_s_is_told(path: Path):
    path.write_bytes(b"this is a letter, and no database" * 100)
    assert look(path)["database"].level is Level.PROBLEM
    path.unlink()
    change(path, "CREATE TABLE other (a)")
    looked = soundness.look(path, is_running=False, deep=False)
    assert not looked.is_readable and any("no database of oncue's" in one.found for one in looked.findings)


def test_a_later_schema_is_a_problem_and_an_earlier_one_waits_for_the_next_start(path: Path):
    change(path, "DELETE FROM django_migrations WHERE name = '0002_face'")
    earlier = soundness.look(path, is_running=True, deep=False)
    assert not earlier.is_readable
    said = next(one for one in earlier.findings if one.about == "schema")
    assert said.level is Level.WARNING and "0002_face" in said.found and "Start oncue again" in said.remedy
    change(path, "UPDATE django_migrations SET name = '0999_later' WHERE name = '0001_initial' AND app = 'store'")
    said = look(path)["schema"]
    assert said.level is Level.PROBLEM and "0999_later" in said.found


def test_a_file_that_is_too_large_to_be_looked_through_is_not_called_whole(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(soundness, "CHECK_WITHIN", -1.0)
    monkeypatch.setattr(soundness, "_STEPS", 1)
    said = look(path)["integrity"]
    assert said.level is Level.UNSEEN and "--deep" in said.remedy
    assert look(path, deep=True)["integrity"].level is Level.OK, "which takes its time"


def test_a_log_that_has_grown_is_told(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(soundness, "BIG_LOG", -1)
    assert look(path)["log"].level is Level.WARNING


def test_a_running_oncue_whose_file_has_no_log_is_a_problem_and_one_that_will_start_is_not(path: Path):
    change(path, "PRAGMA journal_mode=DELETE")
    problems = [one for one in soundness.look(path, is_running=True, deep=False).findings if one.level is Level.PROBLEM]
    assert ["not WAL" in one.found for one in problems] == [True]
    assert look(path)["durability"].level is Level.OK and "until oncue starts" in look(path)["durability"].found


def test_settings_that_sqlite_does_not_take_are_told(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "OWN", ("PRAGMA synchronous=NORMAL",))
    said = look(path)["durability"]
    assert said.level is Level.PROBLEM and "synchronous is 1" in said.found


@pytest.mark.parametrize(("version", "is_named"), [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False)])
def test_a_sqlite_with_the_fault_is_named_and_why_oncue_is_safe(version, is_named, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    said = soundness.sqlite_version()
    assert said.level is Level.OK and ("only its writer checkpoints" in said.found) is is_named


# The directory.


def directory(path: Path) -> list[Finding]:
    return [one for one in place.directory(path) if one.level is not Level.OK]


def test_who_may_read_the_directory_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(place, "_PASSING", {})
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    assert directory(data) == []
    data.chmod(0o755)
    (said,) = directory(data)
    assert said.level is Level.PROBLEM and "mode 755" in said.found and said.remedy == f"chmod 700 {data}"
    data.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: data.stat().st_uid + 1)
    (said,) = directory(data)
    assert said.level is Level.PROBLEM and "belongs to user" in said.found


@pytest.mark.parametrize(("kind", "level"), [("nfs4", Level.PROBLEM), ("overlay", Level.WARNING), ("tmpfs", Level.WARNING), ("ext4", None)])  # fmt: skip
def test_what_it_lies_on_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, level: Level | None):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"22 1 0:21 / / rw,relatime shared:1 - btrfs /dev/root rw\n23 1 0:22 / {tmp_path} rw - {kind} there rw\n"
        f"24 1 0:23 / {tmp_path}-other rw - xfs there rw\n"
    )
    monkeypatch.setattr(place, "MOUNTS", mounts)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    assert place.file_system(data) == kind and place.file_system(Path("/somewhere")) == "btrfs"
    assert [one.level for one in directory(data)] == ([level] if level else [])
    monkeypatch.setattr(place, "MOUNTS", tmp_path / "none")
    assert place.file_system(data) == "", "another kernel does not tell"


@pytest.mark.parametrize(
    ("free", "grows_by", "level", "words"),
    [
        (50e9, None, Level.OK, "50.0 GB are free"),
        (50e9, 10e6, Level.OK, "about 10.0 MB a day"),
        (1e9, 100e6, Level.WARNING, "full in 10 days"),
        (50e6, None, Level.PROBLEM, "0.1 GB are free"),
    ],
)
def test_room_and_how_long_it_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free, grows_by, level, words):
    monkeypatch.setattr(place.shutil, "disk_usage", lambda path: SimpleNamespace(free=int(free)))
    said = place.room(tmp_path, grows_by, True)
    assert (said.level, words in said.found) == (level, True), said
    assert bool(said.remedy) is (level is not Level.OK)


def test_the_secret_key_is_looked_at_and_never_made(tmp_path: Path):
    assert place.secret_key(tmp_path, True)[1].level is Level.OK
    keys, said = place.secret_key(tmp_path, False)
    assert (keys, said.level) == ([], Level.WARNING) and not (tmp_path / secrets.KEY_FILE).exists()
    (made,) = secrets.keys_in(tmp_path)
    keys, said = place.secret_key(tmp_path, False)
    assert (keys, said.level) == ([made], Level.OK) and made not in said.found
    (tmp_path / secrets.KEY_FILE).chmod(0o644)
    assert place.secret_key(tmp_path, False)[1].remedy == f"chmod 600 {tmp_path / secrets.KEY_FILE}"


def test_a_backup_is_remembered_and_grows_old(tmp_path: Path):
    assert place.backups(tmp_path).level is Level.UNSEEN
    backup.note(tmp_path, backup.Made(at=clock.now(), size=1, events=1, messages=1))
    assert place.backups(tmp_path).level is Level.OK
    turn(8 * 86_400)
    said = place.backups(tmp_path)
    assert said.level is Level.WARNING and "8 days ago" in said.found
    backup.note(
        tmp_path / "nowhere", backup.Made(at=1, size=1, events=1, messages=1)
    )  # cannot be kept, and is no fault


def test_the_holder_is_told_and_looking_takes_nothing_from_it(tmp_path: Path):
    assert database.holder(tmp_path) == ""
    with database.lock(tmp_path):
        assert database.holder(tmp_path) == str(os.getpid())
        with pytest.raises(database.InUse, match=str(os.getpid())):
            database.lock(tmp_path)
    assert database.holder(tmp_path) == ""
    database.lock(tmp_path).close()


def test_who_starts_while_somebody_looks_gets_it_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    database.lock(tmp_path).close()
    looking = (tmp_path / "serve.lock").open("rb")
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(database.time, "sleep", lambda seconds: looking.close())
    database.lock(tmp_path).close()


def test_an_opened_file_that_is_only_looked_at_cannot_be_changed(inside: Inside):
    """`configure` works once a process, so the file is opened here as it says."""
    with closing(sqlite3.connect(f"{inside.path.as_uri()}?mode=ro", uri=True)) as file:
        for statement in database._LOOKING.split(";"):
            file.execute(statement)
        with pytest.raises(sqlite3.OperationalError):
            file.execute("DELETE FROM store_event")


def test_a_ticket_is_this_installation_s_and_holds_for_minutes(monkeypatch: pytest.MonkeyPatch):
    vault = secrets.Vault("a key")
    ticket = vault.ticket()
    assert vault.is_ticket(ticket) and secrets.Vault("a later key", "a key").is_ticket(ticket)
    for other in ("", "x", "ü", ticket[:-2], secrets.Vault("another").ticket(), vault.close({"a": 1}).rstrip("=")):
        assert not vault.is_ticket(other), other
    monkeypatch.setattr(secrets, "_TICKET_HOLDS_FOR", -1)
    assert not vault.is_ticket(ticket)

"""Data of every earlier schema is brought up to date whole; a step that fails, or that may not be taken, changes nothing."""

import sqlite3
from contextlib import closing

import pytest
from django.core.management import call_command
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader

from inside import point_at
from oncue.store import database

STEPS = sorted(path.stem for path in (database.Path(database.__file__).parent / "migrations").glob("0*.py"))
EARLIER = STEPS[:-1]


@pytest.fixture
def earlier(tmp_path):
    """Makes a database as it was after a step, with two rows in every table."""

    def make(step):
        path = tmp_path / "oncue.db"
        point_at(path)
        call_command("migrate", "store", step, verbosity=0, interactive=False)
        connection.close()
        with closing(sqlite3.connect(path)) as file, file:
            for table in tables(file):
                fill(file, table)
        return path

    yield make
    connection.close()


def tables(file):
    return [
        name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'store_%'")
    ]


def fill(file, table):
    columns = [
        one for one in file.execute(f"PRAGMA table_info({table})") if not (one[5] and one[2].upper() == "INTEGER")
    ]
    for n in (1, 2):
        values = [
            n if "INT" in kind.upper() or kind.upper() == "REAL" else f"{name}-{n}" for _, name, kind, *_ in columns
        ]
        names = ", ".join(f'"{one[1]}"' for one in columns)
        file.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(values))})", values)


def rows(path):
    """Every row of every table, by column."""
    with closing(sqlite3.connect(path)) as file:
        file.row_factory = sqlite3.Row
        return {
            table: [dict(row) for row in file.execute(f"SELECT * FROM {table} ORDER BY 1, 2")] for table in tables(file)
        }


def dump(path):
    with closing(sqlite3.connect(path)) as file:
        return list(file.iterdump())


@pytest.mark.parametrize("step", EARLIER)
def test_data_of_an_earlier_schema_is_brought_up_to_date_whole(earlier, step):
    path = earlier(step)
    before = rows(path)
    assert all(len(kept) == 2 for kept in before.values())
    database.migrate()
    after = rows(path)
    for table, kept in before.items():
        assert [{name: row[name] for name in one} for one, row in zip(kept, after[table], strict=True)] == kept, table
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    loader = MigrationLoader(connection)
    assert ("store", STEPS[-1]) in loader.applied_migrations
    call_command(
        "makemigrations", "store", check=True, dry_run=True, verbosity=0
    )  # exits with 1 if models and steps differ


@pytest.mark.parametrize("step", EARLIER)
def test_a_step_that_fails_leaves_the_data_to_the_oncue_before(earlier, step, monkeypatch):
    path = earlier(step)
    before = dump(path)
    last = MigrationLoader(connection).disk_migrations["store", STEPS[-1]]
    monkeypatch.setattr(
        type(last), "operations", [*last.operations, migrations.RunSQL("UPDATE no_table SET at_all = 1")]
    )
    with pytest.raises(database.WrongSchema, match=r"no such table: no_table.* the oncue before this one can go on"):
        database.migrate()
    connection.close()
    assert dump(path) == before


def test_data_under_a_running_oncue_of_an_earlier_version_is_not_changed(earlier, tmp_path):
    path = earlier(EARLIER[-1])
    before = dump(path)
    with database.lock(tmp_path), pytest.raises(database.WrongSchema, match="still runs: restart it first"):
        database.migrate(tmp_path)
    connection.close()
    assert dump(path) == before
    database.migrate(tmp_path)
    with database.lock(tmp_path):
        database.migrate(tmp_path)  # there is nothing to be done


def test_data_of_a_later_oncue_is_left_alone(earlier):
    path = earlier(STEPS[-1])
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_later', '2099-01-01')")
    before = dump(path)
    with pytest.raises(database.WrongSchema, match=r"later oncue \(its schema has store 9999_later"):
        database.migrate()
    connection.close()
    assert dump(path) == before

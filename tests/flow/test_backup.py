"""A backup is one moment of a running oncue; put back, it loses what came later and sends nothing twice."""

import sqlite3
import stat
import threading
from contextlib import closing

import pytest

from fault_hooks import GRACE
from house import ANN, RULES, ann
from oncue.store import backup
from oncue.testing import wait_for

QUICK = {GRACE: "0.5"}
LATER = RULES.replace("messages_per_second: 0", "messages_per_second: 1")


def booking(n: int) -> dict:
    who = {**ann(), "phone_number": f"+1617555{n:04d}"}
    return {"type": "event", "user": f"u{n}", "name": "booking_confirmed", "id": f"b{n}", "properties": {"booking_id": n}, "user_properties": who}  # fmt: skip


def test_taken_under_load_it_is_whole_and_of_one_moment(start, carrier, tmp_path):
    oncue = start()
    done = threading.Event()

    def post() -> None:
        n = 0
        while not done.is_set():
            oncue.post(*map(booking, range(n, n + 5)))
            n += 5

    client = threading.Thread(target=post)
    client.start()
    wait_for(lambda: len(oncue.event_names()) > 100, 15)
    files = [tmp_path / f"{n}.db" for n in range(3)]
    for file in files:
        done_ = oncue.run("backup", str(file))
        assert done_.returncode == 0, done_.stderr
        assert "Checked" in done_.stdout and carrier.auth_token not in done_.stdout
    done.set()
    client.join(20)
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert carrier.auth_token.encode() not in file.read_bytes()
        with closing(sqlite3.connect(file)) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            events, messages = (
                copy.execute(f"SELECT COUNT(*) FROM store_{one}").fetchone()[0] for one in ("event", "message")
            )
            booked = copy.execute("SELECT COUNT(*) FROM store_event WHERE name = 'booking_confirmed'").fetchone()[0]
            assert events >= messages == booked > 0 and booked % 5 == 0  # requests and what they caused: all or nothing
    assert not list(tmp_path.glob("*.part"))


def test_put_back_it_sends_nothing_twice_and_forgets_nothing(start, carrier, tmp_path):
    """Five bookings wait for a slow sender when the backup is made; some were sent before the data was lost, the others were not."""
    carrier.fault("callback_lost")
    oncue = start(LATER, **QUICK)
    oncue.post(*map(booking, range(5)))
    file = tmp_path / "backup.db"
    assert oncue.run("backup", str(file)).returncode == 0
    wait_for(lambda: carrier.state(counts=True)["accepted"] >= 3, 10)
    oncue.kill()
    assert "--replace" in oncue.run("restore", str(file)).stderr
    done = oncue.run("restore", str(file), "--replace")
    assert done.returncode == 0 and "looked for at their provider" in done.stdout, done
    assert list((oncue.folder / "data").glob("oncue.db.before-*"))
    oncue.start()
    oncue.wait_for_messages(5, "state = 'accepted'", within=40)
    texts = [one["to"] for one in carrier.state()["messages"]]
    assert sorted(texts) == [f"+1617555{n:04d}" for n in range(5)]


def test_what_waits_for_a_time_to_come_goes_on_waiting(start, tmp_path):
    oncue = start()
    oncue.post(booking(1))
    oncue.wait_for_messages(1, "state = 'accepted'")
    oncue.stop()
    with closing(sqlite3.connect(oncue.folder / "data" / "oncue.db", isolation_level=None)) as database:
        database.execute("UPDATE store_message SET state = 'waiting', due_at = due_at + 9999999")
    oncue.run("backup", str(tmp_path / "b.db"))
    assert "may have been sent" not in oncue.run("restore", str(tmp_path / "b.db"), "--replace").stdout
    assert [one["state"] for one in oncue.messages()] == ["waiting"]


def test_while_oncue_runs_nothing_is_put_back(start, tmp_path):
    oncue = start()
    assert oncue.run("backup", str(tmp_path / "b.db")).returncode == 0
    done = oncue.run("restore", str(tmp_path / "b.db"), "--replace")
    assert done.returncode == 1 and "already serves" in done.stderr
    oncue.post(booking(1))


@pytest.mark.parametrize("what", ["nothing", "text", "another database", "damaged", "newer"])
def test_what_is_no_backup_is_refused_and_the_data_stays(start, tmp_path, what):
    oncue = start()
    oncue.post({"type": "event", "user": "ann", "name": "seen", "user_properties": {"phone_number": ANN}})
    file = tmp_path / "b.db"
    oncue.run("backup", str(file))
    oncue.stop()
    if what == "nothing":
        file.unlink()
    elif what == "text":
        file.write_text("no database " * 1000)
    elif what == "damaged":
        content = bytearray(file.read_bytes())
        content[20_000:60_000] = bytes(40_000)
        file.write_bytes(bytes(content))
    else:
        if what == "another database":
            file.unlink()
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("CREATE TABLE x (y)" if what != "newer" else "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '0999_later', '')")  # fmt: skip
    done = oncue.run("restore", str(file), "--replace")
    assert done.returncode == 1 and "Traceback" not in done.stderr and done.stderr.startswith("oncue: "), done
    oncue.start()
    assert oncue.event_names("ann") == ["seen"]


def test_a_file_that_is_there_is_not_written_over(start, tmp_path):
    oncue = start()
    file = tmp_path / "b.db"
    file.write_text("precious")
    done = oncue.run("backup", str(file))
    assert done.returncode == 1 and "is there already" in done.stderr and file.read_text() == "precious"
    nowhere = oncue.run("backup", str(tmp_path / "no" / "b.db"))
    assert nowhere.returncode == 1 and "cannot be written" in nowhere.stderr


def test_it_takes_its_place_settled_and_whatever_was_there_is_whole_beside_it(start, tmp_path):
    """A process that dies after the step in which a backup takes its place leaves nothing that would be sent unasked."""
    oncue = start(LATER)
    oncue.post(*map(booking, range(5)))
    file = tmp_path / "backup.db"
    assert oncue.run("backup", str(file)).returncode == 0
    oncue.post({"type": "event", "user": "ann", "name": "came_later"})
    oncue.kill()  # its log is not in the database yet
    data = oncue.folder / "data"
    backup.put_back(file, data / "oncue.db")  # and no more
    with closing(sqlite3.connect(data / "oncue.db")) as database:
        states = {state for (state,) in database.execute("SELECT state FROM store_message")}
        assert "waiting" not in states and "submitting" not in states and "unknown" in states
    assert not (data / "oncue.db-wal").exists()
    (aside,) = data.glob("oncue.db.before-*")
    with closing(sqlite3.connect(aside)) as database:
        assert database.execute("SELECT COUNT(*) FROM store_event WHERE name = 'came_later'").fetchone() == (1,)

"""The one writer: answers after the commit, turns for every key, one poison item found among its neighbours, changes seen at once."""

from __future__ import annotations

import asyncio

import pytest
from django.db import DatabaseError

from inside import ANOTHER, KEY, LOOP, Inside, locked
from oncue.core.items import EventItem, Key, Overloaded, StoreUnavailable
from oncue.core.outcome import Submitted
from oncue.store import intake, writer
from oncue.store.database import READER_CACHE, WRITER_CACHE
from oncue.store.jobs import Edit, Intake, Poisoned, Probe, Record, Reports
from oncue.store.lanes import SLOTS
from oncue.store.lines import MOST_IN_LINE, MOST_WAITING
from oncue.store.results import Attempted
from oncue.testing import wait_for

ANN = {"phone_number": "+15005551001"}


def items(count: int, name: str = "clicked", user: str = "u") -> list[EventItem]:
    return [EventItem(user=user, name=name, properties={"n": n}, timestamp=1) for n in range(count)]


def job(key: str, given: list[EventItem]) -> Intake:
    return Intake(Key(id=key, name=key), given)


def test_an_answer_comes_after_the_commit(inside):
    """Whoever is answered finds what was answered in the file, through another connection."""

    async def post(n: int) -> bool:
        (verdict,) = await inside.writer.do(
            job("shop", [EventItem(user="u", name=f"n{n}", properties={}, timestamp=1)])
        )
        return inside.rows("SELECT name FROM store_event WHERE id = ?", verdict.id) == [(f"n{n}",)]

    assert all(inside.gather(post(n) for n in range(50)))


def test_calls_at_the_same_time_share_transactions(inside):
    before = inside.writer.transactions
    with locked(inside):  # the writer waits for its first group meanwhile
        waiting = inside.run(_begin(inside, [job("shop", items(1)) for _ in range(500)]))
        assert inside.events() == []
    inside.gather(waiting)
    assert len(inside.events()) == 500
    assert inside.writer.transactions - before <= 20


async def _begin(inside: Inside, jobs: list) -> list[asyncio.Future]:
    """Queue these jobs, and do not wait for them."""
    tasks = [asyncio.ensure_future(inside.writer.do(one)) for one in jobs]
    await asyncio.sleep(0)
    return tasks


def test_a_key_with_5_000_items_queued_does_not_starve_another(inside):
    async def both() -> int:
        many = await _begin(inside, [job("noisy", items(1)) for _ in range(5_000)])
        await inside.writer.do(job("quiet", items(1, "quiet")))
        done = sum(1 for one in many if one.done())
        await asyncio.gather(*many)
        return done

    assert inside.run(both()) <= 2_000  # the group under way, and the one that it shares
    order = inside.events()
    assert len(order) == 5_001 and order.index("quiet") <= 2_000


def test_every_line_has_its_turn_in_a_group(inside):
    with locked(inside):
        first = inside.run(_begin(inside, [job("a", items(1))]))
        wait_for(lambda: not inside.writer.waiting, 5)  # the writer has it in hand, and waits for the lock
        waiting = inside.run(_begin(inside, [job(key, items(1, key)) for key in "abc" for _ in range(300)]))
    inside.gather([*first, *waiting])
    order = inside.events()[1:]
    assert [order.index(key) for key in "abc"] == [0, 100, 200]


def poison(monkeypatch, *bad: str) -> None:
    """Have these events raise where they are taken in."""
    take = intake.take

    def taken(unit, key, item):
        if item.properties.get("n") in bad:
            raise RuntimeError("a bug")
        return take(unit, key, item)

    monkeypatch.setattr(intake, "take", taken)


@pytest.mark.faults
@pytest.mark.parametrize("where", [0, 37, 99])
def test_a_poison_item_is_bisected_out_and_its_neighbours_go_through(inside, monkeypatch, where):
    poison(monkeypatch, "bad")
    batch = [{"type": "event", "user": "u", "name": "n", "id": str(n), "properties": {"n": n}} for n in range(100)]
    batch[where]["properties"]["n"] = "bad"
    answer = inside.post({"items": batch})
    assert answer.status == 202
    content = answer.json()
    assert [one["index"] for one in content["rejected"]] == [where] and content["accepted"] == 99
    assert "a fault of its own" in content["rejected"][0]["error"]
    assert inside.rows("SELECT COUNT(*), COUNT(DISTINCT id) FROM store_event") == [(99, 99)]
    # The item was not kept: sent again once the fault is mended, it is no repeat.
    monkeypatch.undo()
    again = inside.post({"items": batch}).json()
    assert (again["accepted"], again["duplicates"]) == (1, 99)


@pytest.mark.faults
def test_a_poison_item_alone_is_our_fault_and_not_the_client_s(inside, monkeypatch):
    poison(monkeypatch, "bad")
    answer = inside.post({"type": "event", "user": "u", "name": "n", "properties": {"n": "bad"}})
    assert answer.status == 500 and "a fault of its own" in answer.json()["rejected"][0]["error"]
    assert inside.events() == []


@pytest.mark.faults
def test_a_poison_item_fails_nobody_else_s_call(inside, monkeypatch):
    poison(monkeypatch, "bad")
    bad = EventItem(user="u", name="bad", properties={"n": "bad"}, timestamp=1)
    with locked(inside):
        waiting = inside.run(
            _begin(inside, [job("a", items(3)), job("b", [bad, *items(2)]), job("c", items(4)), Probe()])
        )
    a, b, c, probe = inside.gather(waiting)
    assert [len(one) for one in (a, b, c)] == [3, 3, 4] and probe is None
    assert [bool(one.error) for one in (*a, *b, *c)] == [False] * 3 + [True] + [False] * 6
    assert len(inside.events()) == 9


@pytest.mark.faults
def test_a_job_of_another_kind_that_fails_says_so_to_its_caller_only(inside):
    def fail() -> None:
        raise ZeroDivisionError

    with locked(inside):
        waiting = inside.run(_begin(inside, [Edit(fail), job("a", items(3)), Reports("nobody", [None])]))
    edit, verdicts, reports = inside.gather(waiting)
    assert isinstance(edit, ZeroDivisionError) and isinstance(reports, Poisoned)
    assert all(one.id for one in verdicts) and len(inside.events()) == 3


@pytest.mark.faults
def test_a_group_that_fails_gives_its_slots_back(inside, monkeypatch):
    """Claims of a transaction that does not hold are no claims: nothing is sent, no slot is lost."""
    poison(monkeypatch, "bad")
    batch = [
        {"type": "event", "user": "u", "name": "booked", "user_properties": ANN, "properties": {"n": n}}
        for n in range(9)
    ]
    batch[4]["properties"]["n"] = "bad"
    inside.post({"items": batch})
    assert len(inside.claimed) == 8 and inside.states() == {"submitting": 8}
    assert inside.writer._lanes.free("twilio") == SLOTS - 8


def test_when_the_database_fails_nothing_of_the_group_was_kept_and_all_hear_it(impatient):
    with locked(impatient):
        answers = impatient.gather(impatient.writer.do(job(key, items(2))) for key in "abc")
    assert all(isinstance(one, StoreUnavailable) for one in answers)
    assert impatient.events() == []
    impatient.recovers()
    assert [bool(one.id) for one in impatient.do(job("a", items(2)))] == [True, True]


def test_what_could_not_be_committed_was_not_claimed(impatient):
    event = {"type": "event", "user": "u", "name": "booked", "user_properties": ANN}
    with locked(impatient):
        assert impatient.post(event).status == 503
    assert impatient.claimed == []
    impatient.recovers()
    assert impatient.post(event).status == 202
    assert len(impatient.claimed) == 1


def test_while_the_database_fails_everybody_hears_so_at_once_and_it_recovers_by_itself(impatient, monkeypatch):
    """Nobody waits in turn for a lock that will not come: neither who was queued behind the first, nor who asks later."""
    tried: list[int] = []
    attempt = impatient.writer._attempt
    monkeypatch.setattr(impatient.writer, "_attempt", lambda jobs: tried.append(len(jobs)) or attempt(jobs))
    with locked(impatient):
        queued = impatient.run(_begin(impatient, [job("shop", items(100)) for _ in range(50)]))
        assert all(isinstance(one, StoreUnavailable) for one in impatient.gather(queued))
        assert len([size for size in tried if size]) <= 1  # none if a look of its own failed first
        with pytest.raises(StoreUnavailable, match="locked"):
            impatient.do(Probe())
        assert len([size for size in tried if size]) <= 1  # none if a look of its own failed first
    impatient.recovers()
    assert impatient.do(job("shop", items(1)))[0].id


@pytest.mark.faults
def test_a_statement_that_fails_by_its_values_is_its_own_job_s_fault(inside):
    """Not the database's: neighbours go through, and nobody hears that nothing can be stored."""

    def malformed() -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT json_extract('{', '$')")

    with locked(inside):
        waiting = inside.run(_begin(inside, [job("a", items(1)), Edit(malformed), job("b", items(1))]))
    a, edit, b = inside.gather(waiting)
    assert a[0].id and b[0].id and isinstance(edit, DatabaseError) and not inside.writer.problem


def test_past_what_may_wait_the_doors_hear_overloaded_and_results_are_taken_all_the_same(inside):
    inside.event("u", "booked", user_properties=ANN)
    one = inside.claimed[0].id
    with locked(inside):
        waiting = inside.run(
            _begin(inside, [job(key, items(1_000)) for _ in range(MOST_WAITING // 1_000 + 2) for key in "ab"])
        )
        refused = [task for task in waiting if task.done()]
        assert refused and all(isinstance(task.exception(), Overloaded) for task in refused)
        recorded = inside.run(_begin(inside, [_result(one)]))
    inside.gather([*recorded, *(task for task in waiting if task not in refused)])
    assert inside.messages("state") == [("accepted",)]


def test_a_key_that_fills_its_line_is_refused_while_there_is_room_for_another(inside):
    with locked(inside):
        waiting = inside.run(_begin(inside, [job("noisy", items(1_000)) for _ in range(MOST_IN_LINE // 1_000 + 5)]))
        refused = [task for task in waiting if task.done()]
        assert refused and all(isinstance(task.exception(), Overloaded) for task in refused)
        waiting += inside.run(_begin(inside, [job("quiet", items(1, "quiet"))]))
        assert not waiting[-1].done()
    inside.gather(task for task in waiting if task not in refused)
    assert "quiet" in inside.events() and inside.writer.waiting == 0


def _result(message: str):
    outcome = Submitted(provider_id="SM1", status="queued")
    return Record(Attempted(message=message, adaptor="twilio", number=1, outcome=outcome, started_at=1, ended_at=1))


def test_apply_reaches_a_running_writer_at_once(inside):
    inside.event("u", "booked", {"n": 1}, user_properties=ANN)
    inside.apply(LOOP.replace("Booked", "Changed"))
    inside.event("u", "booked", {"n": 2})
    inside.apply(LOOP.replace('state: "on"', 'state: "off"'))
    inside.event("u", "booked", {"n": 3})
    inside.apply(LOOP.replace("[booked]", "[paid]"))
    inside.event("u", "booked", {"n": 4})
    inside.event("u", "paid", {"n": 5})
    assert [one.fields["body"] for one in inside.claimed] == ["Booked 1", "Changed 2", "Booked 5"]
    assert inside.rows("SELECT revision FROM store_decision ORDER BY seq") == [(1,), (2,), (4,)]


def test_an_idle_writer_sees_a_new_key_without_being_asked(inside):
    inside.apply(LOOP.replace("]\n", f", {{name: two, key: {ANOTHER}}}]\n", 1))
    wait_for(lambda: len(inside.writer.snapshot.keys) == 2, 5)
    assert inside.post({"user": "u", "name": "n"}, key=ANOTHER).status == 202
    assert inside.post({"user": "u", "name": "n"}, key=KEY).status == 202


def test_the_same_file_twice_changes_nothing(inside):
    before = inside.rows("SELECT value FROM store_setting WHERE name = 'config_version'")
    inside.apply(LOOP)
    assert inside.rows("SELECT value FROM store_setting WHERE name = 'config_version'") == before


def test_an_idle_writer_writes_nothing(inside, monkeypatch):
    inside.event("u", "n")
    looks = []
    look = inside.writer._is_idle
    monkeypatch.setattr(inside.writer, "_is_idle", lambda: looks.append(look()) or looks[-1])
    wait_for(lambda: looks.count(True) >= 2, 5)
    before = inside.writer.transactions
    wait_for(lambda: looks.count(True) >= 4, 5)
    assert inside.writer.transactions == before


def test_stopping_finishes_what_is_queued_and_takes_nothing_new(inside):
    waiting = inside.run(_begin(inside, [job("a", items(1)) for _ in range(300)]))
    inside.run(inside.writer.stop())
    assert all(not isinstance(one, Exception) for one in inside.gather(waiting))
    assert len(inside.events()) == 300
    assert inside.post({"user": "u", "name": "n"}).status == 503
    assert len(inside.events()) == 300


def test_a_commit_is_in_the_log_and_flushed(inside):
    """WAL with synchronous=FULL: what is committed survives a loss of power."""

    def pragmas() -> list:
        from django.db import connection

        with connection.cursor() as cursor:
            found = []
            for name in ("journal_mode", "synchronous", "wal_autocheckpoint", "mmap_size"):
                cursor.execute(f"PRAGMA {name}")
                found.append(cursor.fetchone()[0])
            return found

    assert inside.do(Edit(pragmas)) == ["wal", 2, 0, 0]


def test_a_reader_keeps_few_pages_and_the_writer_many_also_after_it_recovered(impatient):
    """Each of several threads that read has a connection: what they keep together is bounded."""

    def kept() -> int:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size")
            return -int(cursor.fetchone()[0])

    assert (kept(), impatient.do(Edit(kept))) == (READER_CACHE, WRITER_CACHE)
    with locked(impatient), pytest.raises(StoreUnavailable):
        impatient.do(Probe())
    impatient.recovers()
    assert impatient.do(Edit(kept)) == WRITER_CACHE


def test_names_that_an_app_makes_up_are_written_down_and_not_all_remembered(inside, monkeypatch):
    monkeypatch.setattr(writer, "MOST_SHAPES", 3)
    for n in [*range(12), *range(12)]:
        inside.event("u", f"made-up-{n}", {f"p{n}": n})
    assert len(inside.writer._known_names) <= 5 and len(inside.writer._known_shapes) <= 5
    assert inside.rows("SELECT COUNT(*) FROM store_eventname WHERE name LIKE 'made-up-%'") == [(12,)]

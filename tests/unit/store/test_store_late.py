"""Late messages: each is asked after at two minutes, six, eighteen and so on, at any age, and a look costs what is new."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from inside import LOOP, Inside
from oncue.core import clock
from oncue.core.adaptor import Status
from oncue.store import late
from oncue.store.jobs import Reports

MINUTES = [2 * 3**step for step in range(11)]


@pytest.fixture
def house(inside: Inside) -> Inside:
    inside.apply(LOOP)
    return inside


def made(one: Inside, *minutes: float, status: str = "sent", state: str = "accepted") -> None:
    """Messages of these ages."""
    names = [name for _, name, *_ in one.rows("PRAGMA table_info(store_message)") if name != "seq"]
    empty = {
        name: 0 if name.endswith(("_at", "_by", "attempts", "depth", "priority", "per_second")) else ""
        for name in names
    }
    empty |= {
        "adaptor": "twilio",
        "fields": "{}",
        "scopes": "[]",
        "warnings": "[]",
        "state": state,
        "carrier_status": status,
    }
    found = []
    for number, age in enumerate(minutes):
        at = clock.now() - int(age * clock.MINUTE)
        found.append({**empty, "id": f"{at:012x}{number:020x}", "provider_id": f"SM{at}.{number}", "created_at": at})
    with closing(sqlite3.connect(one.path, timeout=5)) as file, file:
        sql = f"INSERT INTO store_message ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        file.executemany(sql, [tuple(row.values()) for row in found])


def find(one: Inside, most: int = 1_000) -> list[str]:
    """One round, after which it has come so far."""
    found = late.find(one.catalogue["twilio"], most)
    late.come_to("twilio", found.places)
    return [asked.provider_id for asked in found.asked]


def pass_(monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + int(minutes * clock.MINUTE))


def test_each_is_asked_after_at_each_age_and_no_oftener(house, monkeypatch):
    made(house, 1)
    asked_at = []
    age = 1.0
    while age < MINUTES[-1] * 1.1:
        if find(house):
            asked_at.append(age)
        step = max(0.5, age * 0.05)
        pass_(monkeypatch, step)
        age += step
    assert len(asked_at) == len(MINUTES)
    assert all(planned <= at <= planned * 1.06 + 0.5 for planned, at in zip(MINUTES, asked_at, strict=True)), asked_at


def test_what_is_old_at_the_first_look_is_asked_after_once(house):
    made(house, *(one * 1.5 for one in MINUTES))
    assert len(find(house)) == len(MINUTES)
    assert find(house) == []


@pytest.mark.parametrize(
    ("status", "state"), [("delivered", "accepted"), ("failed", "accepted"), ("", "unknown"), ("", "waiting")]
)
def test_what_is_final_or_not_accepted_is_left_alone(house, status, state):
    made(house, 3, status=status, state=state)
    assert find(house) == []


@pytest.mark.parametrize("change", ["adaptor = 'webhook'", "provider_id = ''"])
def test_what_is_another_adaptor_s_or_has_no_name_there_is_not_asked_after(house, change):
    made(house, 3)
    house.execute(f"UPDATE store_message SET {change}")
    assert find(house) == []


def test_more_than_one_round_can_ask_after_are_taken_in_turns_and_none_is_left_out(house, monkeypatch):
    monkeypatch.setattr(late, "MOST_ROWS", 7)
    made(house, *(2 + n / 100 for n in range(100)))
    asked = [find(house, most=10) for _ in range(25)]
    flat = [one for some in asked for one in some]
    assert len(flat) == 100 == len(set(flat)) and max(map(len, asked)) <= 10


def test_while_there_is_more_it_says_how_far_behind_it_is(house):
    made(house, 3.9, 3.5, 3.1)
    find(house, most=1)
    assert late.find(house.catalogue["twilio"], 1).behind_for > clock.MINUTE


def test_a_round_reads_what_is_new_whatever_lies_before(house, monkeypatch):
    made(house, *(300 + n for n in range(50)))
    find(house)
    assert late.find(house.catalogue["twilio"], 1_000).seen == 0


def test_wild_bug_15_three_hours_of_lost_callbacks_heal_however_old(house):
    made(house, *(3 + n % 177 for n in range(10_000)))
    adaptor = house.catalogue["twilio"]
    while (found := late.find(adaptor, 1_000)).asked:
        reports = [Status(provider_id=one.provider_id, status="delivered", raw={}) for one in found.asked]
        house.do(Reports("twilio", reports, asked=True))
        late.come_to("twilio", found.places)
    assert house.rows("SELECT DISTINCT carrier_status FROM store_message") == [("delivered",)]


def test_after_a_clock_that_was_fast_is_set_back_what_is_made_then_is_asked_after_in_time(house, monkeypatch):
    turned = 0
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + turned)
    turned = 30 * clock.DAY
    find(house)
    turned = 0
    find(house)  # it is seen that the clock went back
    made(house, 1)
    turned = 2 * clock.MINUTE
    assert len(find(house)) == 1

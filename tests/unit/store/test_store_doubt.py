"""Settling what is in doubt: a provider's message belongs to one of ours at most, and only what its list lacked twice is sent again."""

from __future__ import annotations

import pytest

from inside import LOOP, Inside
from oncue.core.adaptor import Candidate, Reply, Status
from oncue.core.outcome import Submitted, Unknown
from oncue.store import doubt
from oncue.store.doubt import Looked, Settle
from oncue.store.jobs import Reports

ANN = "+16175551212"


def lost(one: Inside, count: int = 1) -> list[str]:
    """Messages to Ann whose answers were lost; their ids, in the order of their attempts."""
    one.apply(LOOP)
    for n in range(count):
        one.event("ann", "booked", {"n": n}, user_properties={"phone_number": ANN})
    ids = [claimed.id for claimed in one.claimed]
    one.claimed.clear()
    for id_ in ids:
        one.ended(id_, Unknown("no answer"))
    assert one.states() == {"unknown": count}
    return ids


def listed(sid: str, could_be: list[str], reads_like: list[str], status: str = "sent") -> Candidate:
    report = Status(provider_id=sid, status=status, first_status="queued", raw={})
    return Candidate(status=report, could_be=tuple(could_be), reads_like=tuple(reads_like))


def settle(
    one: Inside, ids: list[str], *candidates: Candidate, absent: tuple[str, ...] = (), again: bool = True
) -> set[str]:
    looked = Looked(messages=tuple(ids), candidates=candidates, may_send_again=again, absent=frozenset(absent))
    return set(one.do(Settle("twilio", [looked])))


def bound(one: Inside) -> dict[str, str]:
    return dict(one.rows("SELECT id, provider_id FROM store_message"))


def test_one_that_is_there_is_accepted_with_the_status_it_has(inside):
    (message,) = lost(inside)
    assert settle(inside, [message], listed("SM1", [message], [message])) == set()
    assert inside.messages("state, provider_id, carrier_status") == [("accepted", "SM1", "sent")]
    assert inside.events("ann")[1:] == ["twilio.queued", "twilio.sent"]


def test_of_two_alike_each_gets_its_own_and_the_third_is_absent(inside):
    ids = lost(inside, 3)
    found = [listed("SM2", ids, ids), listed("SM1", ids, ids)]  # newest first, as the list has them
    assert settle(inside, ids, *found) == {ids[2]}
    assert bound(inside) == {ids[0]: "SM1", ids[1]: "SM2", ids[2]: ""}


def test_what_belongs_to_another_message_is_not_bound_again(inside):
    first, second = lost(inside, 2)
    inside.ended(first, Submitted(provider_id="SM1", status="queued"))
    assert settle(inside, [second], listed("SM1", [second], [second])) == {second}
    assert inside.states() == {"accepted": 1, "unknown": 1}


def test_one_listing_without_it_sends_nothing_and_a_second_sends_it_once(inside):
    (message,) = lost(inside)
    assert settle(inside, [message]) == {message}
    assert inside.states() == {"unknown": 1} and not inside.claimed
    assert settle(inside, [message], absent=(message,)) == set()
    assert [one.id for one in inside.claimed] == [message] and inside.claimed[0].attempt == 2
    assert settle(inside, [message], absent=(message,)) == set()  # it is being sent: no longer in doubt
    assert len(inside.claimed) == 1


def test_what_may_be_it_but_reads_otherwise_holds_it_even_after_two_looks(inside):
    (message,) = lost(inside)
    before = inside.rows("SELECT updated_at FROM store_message")
    assert settle(inside, [message], listed("SM9", [message], []), absent=(message,)) == set()
    ((state, reason),) = inside.messages("state, reason")
    assert state == "unknown" and "reads otherwise" in reason and not inside.claimed
    assert inside.rows("SELECT updated_at FROM store_message") == before  # where it is looked for stays


def test_members_may_want_it_held(inside):
    (message,) = lost(inside)
    settle(inside, [message], absent=(message,), again=False)
    assert inside.states() == {"unknown": 1} and not inside.claimed


def test_a_callback_that_came_meanwhile_wins(inside):
    (message,) = lost(inside)
    inside.do(Reports("twilio", [Status(message_id=message, provider_id="SM5", status="sent", raw={})]))
    assert settle(inside, [message], listed("SM1", [message], [message]), absent=(message,)) == set()
    assert bound(inside) == {message: "SM5"} and inside.states() == {"accepted": 1}


def test_a_callback_overrides_what_the_list_seemed_to_show(inside):
    first, second = lost(inside, 2)
    settle(inside, [first, second], listed("SM1", [first, second], [first, second]))
    assert bound(inside) == {first: "SM1", second: ""}
    inside.do(Reports("twilio", [Status(message_id=second, provider_id="SM1", status="sent", raw={})]))
    assert bound(inside) == {first: "", second: "SM1"}
    assert [state for (state,) in inside.messages("state")] == ["unknown", "accepted"]
    assert settle(inside, [first]) == {first}  # and is looked for again


def test_who_opted_out_meanwhile_is_not_sent_it_again(inside):
    (message,) = lost(inside)
    stop = Reply(provider_id="SM7", address=ANN, sender="+15005550006", scopes=("+15005550006",), body="STOP", consent="opted_out", properties={})  # fmt: skip
    inside.do(Reports("twilio", [stop]))
    settle(inside, [message], absent=(message,))
    assert not inside.claimed and inside.states() == {"suppressed": 1}


def test_one_past_its_time_expires_in_place_of_being_sent(inside):
    (message,) = lost(inside)
    inside.execute("UPDATE store_message SET send_by = 1")
    settle(inside, [message], absent=(message,))
    assert not inside.claimed and inside.states() == {"expired": 1}


def test_a_message_that_the_list_shows_twice_is_bound_once(inside):
    first, second = ids = lost(inside, 2)
    again = listed("SM1", ids, ids)
    assert settle(inside, ids, again, again) == {second}
    assert bound(inside) == {first: "SM1", second: ""}


def test_what_is_lost_again_is_looked_for_from_its_first_attempt_on(inside):
    """The first may have been accepted all the same, and be shown late."""
    (message,) = lost(inside)
    (before,) = doubt.sought([message])
    inside.execute("UPDATE store_message SET due_at = due_at - 600000")
    settle(inside, [message], absent=(message,))
    assert [one.attempt for one in inside.claimed] == [2]
    inside.ended(message, Unknown("no answer"), number=2)
    (sought,) = doubt.sought([message])
    assert sought.since == before.since - 600_000 and sought.until >= before.until


def test_one_that_waited_long_is_looked_for_from_its_attempt_and_not_from_when_it_was_due(inside):
    inside.apply(LOOP)
    inside.event("ann", "booked", user_properties={"phone_number": ANN})
    inside.execute("UPDATE store_message SET due_at = 1")
    (claimed,) = inside.claimed
    inside.ended(claimed.id, Unknown("no answer"))
    (sought,) = doubt.sought([claimed.id])
    assert 0 <= sought.until - sought.since < 5_000


def test_the_oldest_attempt_gets_the_oldest_of_what_is_alike(inside):
    first, second = lost(inside, 2)
    inside.execute("UPDATE store_message SET due_at = due_at - 60000 WHERE id = ?", second)
    settle(inside, [first, second], listed("SM1", [first, second], [first, second]))
    assert bound(inside) == {first: "", second: "SM1"}


def test_those_of_an_adaptor_that_cannot_be_asked_crowd_out_nobody(inside, monkeypatch):
    monkeypatch.setattr(doubt, "MOST", 2)
    ids = lost(inside, 5)
    for one in ids[:3]:
        inside.execute("UPDATE store_message SET adaptor = 'email' WHERE id = ?", one)
    known = doubt.in_doubt()
    assert [one.id for one in known] == [ids[0], ids[1], ids[3], ids[4]]


@pytest.mark.faults
def test_a_number_that_cannot_be_settled_leaves_the_others_to_be(inside, monkeypatch):
    ids = lost(inside, 3)
    settling = doubt._settle

    def faulty(unit, lanes, name, looked):
        if ids[1] in looked.messages:
            raise ValueError("a fault")
        return settling(unit, lanes, name, looked)

    monkeypatch.setattr(doubt, "_settle", faulty)
    looked = [Looked(messages=(one,), candidates=(), may_send_again=True, absent=frozenset()) for one in ids]
    assert inside.do(Settle("twilio", looked)) == {ids[0], ids[2]}


@pytest.mark.parametrize("state", ["submitting", "unknown"])
def test_another_under_way_to_the_number_is_seen(inside, state):
    first, second = lost(inside, 2)
    inside.execute("UPDATE store_message SET state = ? WHERE id = ?", state, second)
    assert doubt.under_way([ANN], [first]) == {ANN}
    assert doubt.under_way([ANN], [first, second]) == set()


def test_it_is_looked_for_from_the_attempt_until_its_end_also_after_a_crash(inside):
    inside.apply(LOOP)
    inside.event("ann", "booked", user_properties={"phone_number": ANN})
    ((claimed_at,),) = inside.rows("SELECT updated_at FROM store_message")
    inside.execute("UPDATE store_message SET updated_at = updated_at - 60000")
    inside.close()
    inside.open()
    (one,) = doubt.in_doubt()
    (sought,) = doubt.sought([one.id])
    assert sought.since == claimed_at - 60_000 and sought.until >= claimed_at and one.since == sought.until


@pytest.mark.parametrize(
    ("change", "sought"),
    [(("AC0123", "AC9999"), 0), (("messages_per_second: 0", "messages_per_second: 5"), 1)],
    ids=["another account", "another setting"],
)
def test_what_another_account_was_given_is_not_looked_for_in_this_one(inside, change, sought):
    (message,) = lost(inside)
    inside.apply(LOOP.replace(*change))
    assert len(doubt.in_doubt()) == sought
    reason = inside.rows("SELECT reason FROM store_message WHERE id = ?", message)[0][0]
    assert ("another account" in reason) is not bool(sought)

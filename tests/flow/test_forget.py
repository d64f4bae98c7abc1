"""One person's data: all of it is handed out, and all of it is erased, which is looked into on the disk itself."""

import msgspec
import pytest

from house import ANN, RULES, ann, listed
from oncue.testing import wait_for

BOB = "+15005551002"
CANARY = "canary-7f3a"


def booking(user: str, number: str, first: str) -> dict:
    who = {**ann(), "first_name": first, "phone_number": number, "email": f"{first}@example.com"}
    return {"type": "event", "user": user, "name": "booking_confirmed", "id": f"b-{user}", "properties": {"booking_id": f"{first}-booking"}, "user_properties": who}  # fmt: skip


@pytest.fixture
def busy(start, carrier):
    """Two people were texted; one of them replied twice, and opted out."""
    oncue = start(RULES)
    oncue.post(booking("ann-id", ANN, CANARY), booking("bob-id", BOB, "Bob"))
    oncue.wait_for_event("twilio.delivered", 2)
    carrier.text(ANN, f"hello from {CANARY}")
    oncue.wait_for_event("twilio.received")
    carrier.text(ANN, "STOP")
    oncue.wait_for_event("twilio.black_listed_error")
    return oncue


def test_all_that_is_kept_of_a_person_is_handed_out(busy):
    found = msgspec.json.decode(busy.run("users", "export", "ann-id").stdout)
    assert found["user"]["properties"]["first_name"] == CANARY
    assert [one["name"] for one in found["events"]][:1] == ["booking_confirmed"] and len(found["messages"]) == 1
    assert len(found["attempts"]) == 1 and found["decisions"] and len(found["opt_outs"]) == 1
    assert [one["body"] for one in found["replies"]] == [f"hello from {CANARY}", "STOP"]
    assert "Bob" not in str(found) and BOB not in str(found)


def test_a_person_is_erased_to_the_last_byte_and_nobody_else_is_touched(busy):
    before = msgspec.json.decode(busy.run("users", "export", "bob-id").stdout)
    done = busy.run("forget", "ann-id", "--yes")
    assert done.returncode == 0 and "found nowhere" in done.stdout and "opt-outs, which stay" in done.stdout, done
    assert CANARY not in done.stdout
    assert msgspec.json.decode(busy.run("users", "export", "bob-id").stdout) == before
    assert busy.run("forget", "ann-id", "--yes").returncode == 1
    assert busy.run("users", "export", "ann-id").returncode == 1
    busy.stop()
    for file in (busy.folder / "data").iterdir():
        content = file.read_bytes()
        assert CANARY.encode() not in content and b"ann-id" not in content, file


def test_the_carrier_forgets_what_was_said_too_and_nothing_of_anybody_else(busy, carrier):
    done = busy.run("forget", "ann-id", "--yes")
    assert "The provider is asked to forget what 3 messages say" in done.stdout
    wait_for(lambda: not busy.query("SELECT 1 FROM store_copy"), 15)
    kept = {one["to"]: one for one in listed(carrier) if one["direction"] != "inbound"}
    assert (kept[ANN]["body"], kept[ANN]["status"]) == ("", "delivered")
    assert kept[BOB]["body"] == "Hi Bob, booking Bob-booking is confirmed."
    assert CANARY not in str(listed(carrier)), "nor in what she wrote"


def test_what_the_carrier_is_not_done_with_is_asked_for_until_it_is(start, carrier):
    carrier.fault("stuck", to=ANN)
    oncue = start(RULES)
    oncue.post(booking("ann-id", ANN, CANARY))
    oncue.wait_for_messages(1, "state = 'accepted'")
    assert oncue.run("forget", "ann-id", "--yes").returncode == 0
    wait_for(lambda: oncue.query("SELECT tries FROM store_copy") == [(1,)], 15)
    ((copy,),) = oncue.query("SELECT provider_id FROM store_copy")
    assert copy.startswith("SM") and CANARY in str(listed(carrier))
    wait_for(lambda: b'oncue_provider_copies{adaptor="twilio"} 1' in oncue.call("GET", "/metrics")[2], 15)


def test_who_was_forgotten_is_still_never_texted(busy, carrier):
    busy.run("forget", "ann-id", "--yes")
    accepted = carrier.state(counts=True)["accepted"]
    busy.post({**booking("ann-again", ANN, "Ann"), "id": "later"})
    busy.wait_for_messages(1, "state = 'suppressed'")
    assert carrier.state(counts=True)["accepted"] == accepted


def test_a_late_callback_of_theirs_changes_nothing(start, carrier):
    carrier.fault("callback_late", seconds=1.5)
    oncue = start(RULES)
    oncue.post(booking("ann-id", ANN, CANARY))
    oncue.wait_for_messages(1, "state = 'accepted'")
    assert oncue.run("forget", "ann-id", "--yes").returncode == 0
    carrier.clear_faults()
    oncue.post(booking("bob-id", BOB, "Bob"))
    oncue.wait_for_event("twilio.delivered")
    assert oncue.query("SELECT COUNT(*) FROM store_event WHERE user_id = 'ann-id'") == [(0,)]


def test_while_a_message_to_them_is_being_sent_nothing_is_erased(start, carrier):
    carrier.fault("hang", seconds=2)
    carrier.fault("stuck")
    oncue = start(RULES)
    oncue.post(booking("ann-id", ANN, CANARY))
    done = oncue.run("forget", "ann-id", "--yes")
    assert done.returncode == 1 and "being sent at this moment" in done.stderr
    assert len(oncue.messages()) == 1

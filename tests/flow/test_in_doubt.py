"""A message whose answer was lost is settled by what the carrier's own list shows: never sent twice, never forgotten."""

from base64 import b64encode
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from fault_hooks import GRACE
from house import ANN, RULES, ann
from oncue.testing import wait_for

QUICK = {GRACE: "0.5"}


def booking(id_: str = "b") -> dict:
    return {"type": "event", "user": "ann", "name": "booking_confirmed", "id": id_, "properties": {"booking_id": "B1"}, "user_properties": ann()}  # fmt: skip


def another_texts(carrier, to: str, body: str) -> None:
    """Somebody else with the same account."""
    login = b64encode(f"{carrier.account_sid}:{carrier.auth_token}".encode()).decode()
    form = urlencode({"To": to, "From": "+15005550006", "Body": body}).encode()
    url = f"{carrier.url}/2010-04-01/Accounts/{carrier.account_sid}/Messages.json"
    with urlopen(Request(url, form, {"Authorization": f"Basic {login}"})) as answer:
        assert answer.status == 201


def settled(oncue, state: str, count: int = 1) -> list[dict]:
    return oncue.wait_for_messages(count, "state = ?", state)


@pytest.mark.parametrize("fault", ["500_after", "drop_after"])
@pytest.mark.parametrize("public", [True, False], ids=["called back", "polled"])
def test_what_the_carrier_accepted_is_found_in_its_list(start, carrier, fault, public):
    carrier.fault(fault, times=1)
    carrier.fault("callback_lost")
    oncue = start(public=public, **QUICK)
    oncue.post(booking())
    settled(oncue, "accepted")
    oncue.wait_for_event("twilio.delivered")
    assert carrier.state(counts=True)["accepted"] == 1
    assert [name for name in oncue.event_names() if name.startswith("twilio.")] == ["twilio.queued", "twilio.sent", "twilio.delivered"]  # fmt: skip


@pytest.mark.parametrize("fault", ["500_before", "drop_before", "503", "html_502"])
def test_what_the_list_lacks_twice_is_sent_again_once(start, carrier, fault):
    carrier.fault(fault, times=1)
    oncue = start(**QUICK)
    oncue.post(booking())
    (message,) = settled(oncue, "accepted")
    assert message["attempts"] == 2 and len(carrier.phone(ANN)) == 1
    outcomes = oncue.query("SELECT outcome FROM store_attempt ORDER BY seq")
    assert outcomes == [("Unknown",), ("NotThere",), ("Submitted",)]
    assert "was not accepted, and is sent again" in oncue.run("explain", message["id"]).stdout


def test_members_may_have_it_held_instead(start, carrier):
    carrier.fault("500_before", times=1)
    rules = RULES.replace("messages_per_second: 0", "messages_per_second: 0\n    when_unknown: hold")
    oncue = start(rules, **QUICK)
    oncue.post(booking())
    oncue.wait_for_messages(1, "state = 'unknown' AND reason LIKE '%has no such message%'")
    assert carrier.state(counts=True)["requests"] == 1


def test_identical_texts_to_one_number_each_find_their_own(start, carrier):
    """Of four, two were accepted without an answer and two were not: in the end the person has four, no more and no less."""
    carrier.fault("callback_lost")
    for fault in ("drop_after", "500_before", "drop_after", "500_before"):
        carrier.fault(fault, times=1)
    oncue = start(**QUICK)
    for n in range(4):
        oncue.post(booking(f"b{n}"))
        wait_for(lambda n=n: carrier.state(counts=True)["requests"] == n + 1, 5)
    settled(oncue, "accepted", 4)
    sids = oncue.query("SELECT DISTINCT provider_id FROM store_message")
    assert len(sids) == 4 and carrier.state(counts=True)["accepted"] == 4


def test_killed_in_a_call_it_is_found_without_a_callback(start, carrier):
    carrier.fault("hang", seconds=3, times=1)
    carrier.fault("callback_lost")
    oncue = start(**QUICK)
    oncue.post(booking())
    wait_for(lambda: carrier.state(counts=True)["accepted"] == 1, 5)
    oncue.kill()
    oncue.start()
    settled(oncue, "accepted")
    assert carrier.state(counts=True)["accepted"] == 1


def test_a_text_that_reads_otherwise_is_held_for_a_member(start, carrier):
    """Somebody else texts that number from the same sender: it may be ours, changed on the way, so nothing is sent again."""
    carrier.fault("500_before", times=1)
    oncue = start(**QUICK)
    oncue.post(booking())
    oncue.wait_for_messages(1, "state = 'unknown'")
    another_texts(carrier, ANN, "Something else")
    oncue.wait_for_messages(1, "state = 'unknown' AND reason LIKE '%reads otherwise%'")
    assert len(carrier.state()["messages"]) == 1

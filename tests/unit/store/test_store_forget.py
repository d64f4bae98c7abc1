"""Forgetting a user among everything else that one transaction does."""

from __future__ import annotations

import pytest

from inside import Inside
from oncue.core.adaptor import Reply, Status
from oncue.core.items import EventItem, Key
from oncue.store.jobs import Edit, Intake, Reports
from oncue.store.person import Forget, everything, left
from oncue.store.refusal import Refused

ANN = "+15005551001"
FORGET = Forget(user="ann", by="a test")


def status(message: str, word: str) -> Reports:
    return Reports("twilio", [Status(message_id=message, provider_id=f"SM{message}", status=word, raw={"To": ANN})])


def places(inside: Inside) -> list[tuple[str, int]]:
    return list(inside.do(Edit(lambda: left("ann", [ANN]))))


@pytest.fixture
def texted(inside: Inside) -> str:
    """A message to Ann that the carrier has; its id."""
    inside.event("ann", "booked", user_properties={"phone_number": ANN, "nickname": "annie"})
    (one,) = inside.submit_claimed()
    return one


@pytest.mark.parametrize("forgotten_first", [True, False])
def test_what_the_carrier_says_at_the_same_moment_leaves_nothing(inside: Inside, texted: str, forgotten_first: bool):
    assert places(inside)
    before = inside.writer.transactions
    jobs = [FORGET, status(texted, "delivered")]
    inside.gather([inside.writer.do(one) for one in (jobs if forgotten_first else reversed(jobs))])
    assert inside.writer.transactions == before + 1, "all in one"
    assert places(inside) == []


@pytest.mark.parametrize("forgotten_first", [True, False])
def test_whoever_comes_back_at_the_same_moment_is_somebody_new(inside: Inside, texted: str, forgotten_first: bool):
    item = EventItem(user="ann", name="visited", properties={}, timestamp=0, user_properties={"x": 1})
    jobs = [FORGET, Intake(Key(id="shop", name="shop"), [item])]
    inside.gather([inside.writer.do(one) for one in (jobs if forgotten_first else reversed(jobs))])
    assert inside.events("ann") == (["visited"] if forgotten_first else [])
    assert [one for (one,) in inside.rows("SELECT properties FROM store_user")] == (
        ['{"x":1}'] if forgotten_first else []
    )


def test_while_a_message_is_being_sent_nobody_is_forgotten_and_others_go_on(inside: Inside):
    inside.event("ann", "booked", user_properties={"phone_number": ANN})
    came = Intake(Key(id="shop", name="shop"), [EventItem(user="bob", name="visited", properties={}, timestamp=0)])
    refused, taken = inside.gather([inside.writer.do(FORGET), inside.writer.do(came)])
    assert isinstance(refused, Refused) and not taken[0].error
    assert inside.states() == {"submitting": 1} and inside.events("bob") == ["visited"]


def test_the_anonymous_ids_that_were_theirs_go_with_them(inside: Inside):
    inside.event("ann", "booked", user_properties={"nickname": "annie"})
    inside.execute("INSERT INTO store_alias (id, user_id, source, at) VALUES ('anonymous-17', 'ann', 'segment', 1)")
    assert inside.do(Edit(lambda: everything("ann")))["aliases"] == [
        {"id": "anonymous-17", "source": "segment", "at": 1}
    ]
    assert "anonymous-17" in inside.do(FORGET).addresses
    assert inside.rows("SELECT * FROM store_alias") == []


def test_what_their_number_wrote_before_anybody_knew_whose_it_is_goes_too_with_what_was_decided_and_the_carrier_s_copy(
    inside: Inside,
):
    said = {"body": "who is this", "from": ANN, "to": "+15005550006", "message_sid": "SMstranger", "media_urls": []}
    inside.do(
        Reports(
            "twilio",
            [
                Reply(
                    provider_id="SMstranger",
                    address=ANN,
                    sender="+15005550006",
                    scopes=(),
                    body="who is this",
                    properties=said,
                ),
                Reply(
                    provider_id="SMstop",
                    address=ANN,
                    sender="+15005550006",
                    scopes=("+15005550006",),
                    body="STOP",
                    consent="opted_out",
                    properties={**said, "body": "STOP", "message_sid": "SMstop"},
                ),
            ],
        )
    )
    inside.execute(
        "INSERT INTO store_decision (event, rule, revision, acted, reason, sentence, trace, at) SELECT id, 'r', 1, 0, '', '', '[]', 1 FROM store_event"
    )
    inside.take({"type": "user", "user": "ann", "properties": {"phone_number": ANN}})
    inside.do(FORGET)
    assert places(inside) == [] and inside.rows("SELECT * FROM store_decision") == []
    assert sorted(inside.rows("SELECT DISTINCT provider_id FROM store_copy")) == [("SMstop",), ("SMstranger",)]


def test_nobody_is_nobody(inside: Inside):
    assert inside.do(FORGET) is None

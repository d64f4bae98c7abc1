"""Alerts: what is wrong is said once, and is over when it is over."""

from __future__ import annotations

import re

import pytest

from inside import LOOP, Inside, clock_put_back, inside, turn
from oncue.core import clock
from oncue.core.adaptor import Status
from oncue.core.outcome import Blame, Rejected, Retry, Unknown
from oncue.store import lanes
from oncue.store.config import raise_version
from oncue.store.jobs import Edit, Probe, Reports, Sweep
from oncue.testing import wait_for
from oncue.workers.watch import MOST_UNREACHABLE
from watching import Round, claimed, submitted, watch

__all__ = ["clock_put_back", "inside", "watch"]

UNREACHABLE = ("unreachable", "twilio +15005550006")
LOST = Retry("The request could not be sent: nobody listens.")


def test_nothing_is_wrong_at_first(watch: Round):
    assert watch.look(2) == []


@pytest.mark.faults
def test_a_pause_is_one_alert_however_often_it_is_renewed_and_over_once_it_is_not(watch: Round):
    one, inside = claimed(watch.inside), watch.inside
    refused = Rejected("Authenticate", Blame.ACCOUNT, "20003")
    inside.ended(one, refused)
    assert watch.look() == [("paused", "twilio account")]
    assert watch.sentence().startswith("Twilio refuses the account: Authenticate. Messages wait")
    turn(301)  # the pause has ended; one message tries again, and is refused again
    assert watch.look() == [("paused", "twilio account")]
    inside.do(Sweep())
    inside.ended(inside.claimed.pop().id, refused, number=2)
    turn(301)
    assert watch.look() == [("paused", "twilio account")]
    assert watch.closed() == 0
    turn(121)
    assert watch.look() == []
    assert watch.closed() == 1


def test_an_adaptor_that_became_inactive_by_a_problem_is_an_alert_one_that_was_switched_off_is_none(watch: Round):
    inside = watch.inside
    inside.execute("UPDATE store_adaptor SET state = 'inactive' WHERE name = 'twilio'")
    inside.do(Edit(raise_version))
    assert watch.look() == []
    inside.execute("UPDATE store_adaptor SET problem = 'The token was revoked' WHERE name = 'twilio'")
    inside.do(Edit(raise_version))
    assert watch.look() == [("inactive", "twilio")]
    assert watch.sentence().startswith("The adaptor Twilio is inactive: The token was revoked. Its")
    inside.execute("UPDATE store_adaptor SET state = 'active', problem = '' WHERE name = 'twilio'")
    inside.do(Edit(raise_version))
    assert watch.look() == []


@pytest.mark.faults
def test_a_rule_that_is_on_and_cannot_act_is_an_alert_until_it_is_turned_off(watch: Round):
    inside = watch.inside
    inside.execute("UPDATE store_rule SET spec = replace(spec, 'twilio.send_message', 'twilio.sing'), revision = 2")
    inside.do(Edit(raise_version))
    assert watch.look() == [("rule_stopped", "confirm")]
    assert "confirm is on but does not act" in watch.sentence()
    inside.execute('UPDATE store_rule SET spec = replace(spec, \'"state":"on"\', \'"state":"off"\'), revision = 3')
    inside.do(Edit(raise_version))
    assert watch.look() == []


def decide(inside: Inside, reason: str) -> None:
    inside.execute(
        "INSERT INTO store_decision (event, rule, revision, acted, reason, sentence, trace, at) VALUES ('e', 'confirm', 1, 0, ?, '', '[]', 0)",
        reason,
    )


def test_a_rule_that_could_not_be_evaluated_is_an_alert_for_an_hour_even_across_a_restart(watch: Round):
    inside = watch.inside
    decide(inside, "rule_fault")  # long before: nobody watched
    assert watch.look() == []
    decide(inside, "conditions_not_met")
    assert watch.look() == []
    decide(inside, "rule_fault")
    assert watch.look() == [("rule_fault", "confirm")]
    after = Round(inside)
    assert after.look(2) == [("rule_fault", "confirm")]
    turn(3_000)
    assert after.look() == [("rule_fault", "confirm")]
    turn(700)
    assert after.look() == []
    inside.run(after.client.close())


def count(inside: Inside, hours_ago: int, label: str, number: int) -> None:
    hour = clock.now() // clock.HOUR - hours_ago
    sql = "INSERT INTO store_counter (hour, name, label, count) VALUES (?, 'event', ?, ?) ON CONFLICT (hour, name, label) DO UPDATE SET count = excluded.count"
    inside.execute(sql, hour, label, number)


def test_fewer_delivered_than_usual_is_an_alert_until_it_is_nearly_as_usual_again(watch: Round):
    inside = watch.inside
    for hours_ago in (20, 100):
        count(inside, hours_ago, "twilio.delivered", 190)
        count(inside, hours_ago, "twilio.undelivered", 10)
    count(inside, 0, "twilio.delivered", 20)
    count(inside, 0, "twilio.failed", 20)
    assert watch.look() == []  # forty say nothing
    count(inside, 0, "twilio.delivered", 43)
    count(inside, 0, "twilio.failed", 7)
    assert watch.look() == []  # 86 % is 9 below
    count(inside, 0, "twilio.failed", 10)
    assert watch.look() == [("deliverability", "twilio")]
    assert "Twilio delivers 81% of messages" in watch.sentence() and "it was 95%" in watch.sentence()
    count(inside, 0, "twilio.delivered", 45)
    count(inside, 0, "twilio.failed", 6)
    assert watch.look() == [("deliverability", "twilio")]  # 88 % is nearly there, but was an alert
    count(inside, 0, "twilio.delivered", 46)
    count(inside, 0, "twilio.failed", 4)
    assert watch.look() == []


def test_without_a_usual_share_there_is_nothing_to_compare(watch: Round):
    count(watch.inside, 0, "twilio.failed", 500)
    assert watch.look() == []


def test_callbacks_that_stay_away_are_an_alert_until_one_comes(watch: Round):
    inside = watch.inside
    one = submitted(inside)
    turn(14 * 60)
    assert watch.look() == []
    turn(2 * 60)
    assert watch.look() == [("silence", "twilio")]
    inside.do(Reports("twilio", [Status(message_id=one, provider_id=f"SM{one}", status="sent", raw={})]))
    assert watch.look() == []
    # Nothing more of that one; a second message, of which nothing is heard either.
    submitted(inside, 2)
    turn(16 * 60)
    assert watch.look() == [("silence", "twilio")]


def test_a_message_that_ended_with_its_acceptance_waits_for_no_callback_and_without_a_public_url_none_is_asked_for(
    inside: Inside,
):
    polled = Round(inside, public_url="")
    submitted(inside)
    turn(16 * 60)
    assert polled.look() == []
    inside.execute("UPDATE store_message SET carrier_status = 'failed'")
    called = Round(inside)
    assert called.look() == []
    inside.run(polled.client.close())
    inside.run(called.client.close())


def test_a_provider_that_does_not_answer_is_an_alert_while_messages_wait_for_it(watch: Round):
    inside = watch.inside
    taken = [claimed(inside, number) for number in range(lanes.FAILURES + 1)]
    for one in taken[1:]:
        inside.ended(one, LOST)
    assert watch.look() == []  # it may be a moment
    turn(121)
    assert watch.look() == [UNREACHABLE]
    assert re.match(
        r"Twilio has given no answer of use since [\d-]{10} \d\d:\d\d UTC \(twilio \+15005550006\)\.", watch.sentence()
    )
    inside.ended(taken[0], Rejected("There is no such number."))
    assert watch.look() == []


def outage(watch: Round) -> None:
    """One message waits for a provider that does not answer."""
    taken = [claimed(watch.inside, number) for number in range(lanes.FAILURES)]
    for one in taken[1:]:
        watch.inside.ended(one, Unknown("The answer was lost."))
    watch.inside.execute("UPDATE store_message SET state = 'accepted' WHERE state = 'unknown'")
    watch.inside.ended(taken[0], LOST)
    turn(121)
    assert watch.look() == [UNREACHABLE]


def test_while_the_only_message_that_waits_is_tried_the_alert_stays(watch: Round, monkeypatch: pytest.MonkeyPatch):
    inside = watch.inside
    outage(watch)
    monkeypatch.setattr(lanes, "REST_FOR", 0.0)
    wait_for(lambda: inside.do(Probe()) or inside.claimed, 5)
    assert watch.look() == [UNREACHABLE]
    inside.ended(inside.claimed.pop().id, LOST, number=2)
    assert (watch.look(), watch.closed()) == ([UNREACHABLE], 0)
    turn(121)
    wait_for(lambda: inside.do(Probe()) or inside.claimed, 5)
    inside.ended(inside.claimed.pop().id, Rejected("There is no such number."), number=3)
    assert watch.look() == []


def test_a_provider_that_is_not_called_any_more_is_not_said_to_be_silent(watch: Round):
    outage(watch)
    watch.inside.apply(LOOP.replace("twilio:\n", "twilio:\n    state: inactive\n"))
    watch.inside.do(Probe())
    assert watch.look() == []


def test_of_many_hosts_that_do_not_answer_the_first_are_alerts_however_they_are_tried(watch: Round):
    since = clock.now()
    turn(121)
    hosts = [lanes.Resting("twilio", f"{number:02} {'x' * 300}", since + number, True, 0) for number in range(25)]
    watch.inside.writer.resting = lambda: hosts  # type: ignore[method-assign]
    first = watch.look()
    assert {key[:2] for _, key in first} == {f"{number:02}" for number in range(MOST_UNREACHABLE)}
    hosts.append(hosts.pop(0))
    hosts.insert(0, lanes.Resting("twilio", "new", clock.now(), True, 0))
    assert (watch.look(), watch.closed()) == (first, 0)


def test_where_nothing_waits_any_more_nobody_is_alarmed(watch: Round):
    inside = watch.inside
    for one in [claimed(inside, number) for number in range(lanes.FAILURES)]:
        inside.ended(one, LOST)
    turn(5 * 3_600)
    inside.do(Sweep())
    assert watch.look() == []


def test_messages_of_which_nobody_knows_are_an_alert_until_a_callback_tells(watch: Round):
    inside = watch.inside
    one = claimed(inside)
    inside.ended(one, Unknown("The answer was lost."))
    assert watch.look() == []  # a callback may settle it any moment
    turn(121)
    assert watch.look() == [("unknown", "messages")]
    assert watch.sentence().startswith("Of one message it is not known")
    inside.do(Reports("twilio", [Status(message_id=one, provider_id="SM1", status="sent", raw={})]))
    assert watch.look() == []

"""Alerts: what is wrong is said once, to those who should know, and is over when it is over."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator

import msgspec
import pytest

from house import Mailbox
from inside import LOOP, URL, Inside, clock_put_back, inside, turn
from oncue.core import clock
from oncue.core.adaptor import Status
from oncue.core.outcome import Blame, Rejected, Retry, Unknown
from oncue.store import alerting, alerts, lanes, members
from oncue.store.alerting import Alerting
from oncue.store.alerts import Alarm
from oncue.store.config import raise_version
from oncue.store.jobs import Edit, Probe, Reports, Sweep
from oncue.testing import wait_for
from oncue.workers.alerts import NOBODY, Alerts
from oncue.workers.http import Client
from oncue.workers.watch import MOST_UNREACHABLE
from wire import Call, Play, Wire, serving

__all__ = ["clock_put_back", "inside"]

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")

USER = {"phone_number": "+15005551001"}
UNREACHABLE = ("unreachable", "twilio +15005550006")
LOST = Retry("The request could not be sent: nobody listens.")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.start()
    yield box
    box.stop()


class Round:
    """The worker, whose rounds the test takes itself."""

    def __init__(self, inside: Inside, public_url: str = URL) -> None:
        self.inside = inside
        self.client = Client()
        self.alerts = Alerts(inside.writer, self.client, public_url)

    def look(self, times: int = 1) -> list[tuple[str, str]]:
        """(kind, key) of what is open afterwards."""
        for _ in range(times):
            self.inside.run(self.alerts.look())
        return [(row["kind"], row["key"]) for row in self.open()]

    def open(self) -> list[dict[str, object]]:
        return self.inside.run(asyncio.to_thread(alerts.open_ones))

    def sentence(self) -> str:
        (one,) = self.open()
        return str(one["sentence"])

    def closed(self) -> int:
        return int(self.inside.rows("SELECT COUNT(*) FROM store_alert WHERE closed_at IS NOT NULL")[0][0])


@pytest.fixture
def watch(inside: Inside) -> Iterator[Round]:
    round_ = Round(inside)
    yield round_
    inside.run(round_.client.close())


def claimed(inside: Inside, number: int = 1) -> str:
    inside.event(f"u{number}", "booked", user_properties=USER)
    return inside.claimed.pop().id


def submitted(inside: Inside, number: int = 1) -> str:
    inside.event(f"u{number}", "booked", user_properties=USER)
    return inside.submit_claimed()[0]


# What is wrong.


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
    monkeypatch.setattr(lanes, "REST_FOR", 0.0)
    inside = watch.inside
    outage(watch)
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


# Who is told.


def with_mail(inside: Inside, mailbox_url: str) -> None:
    mail = f'adaptors:\n  email: {{smtp_url: "{mailbox_url}", from: "oncue <oncue@example.com>"}}\n'
    inside.apply(LOOP.replace("adaptors:\n", mail, 1))
    inside.do(Edit(lambda: members.add("ann@example.com", "owner", "!", "a test")))
    inside.do(Edit(lambda: members.add("bob@example.com", "viewer", "!", "a test")))


def alarm(inside: Inside, key: str = "1", kind: str = alerts.TEST, sentence: str = "Only a test.") -> None:
    inside.do(Edit(lambda: alerts.settle([Alarm(kind=kind, key=key, sentence=sentence)], [])))


def tell_at(inside: Inside, **given: object) -> None:
    inside.do(Edit(lambda: alerting.save_alerting(Alerting(**given), "a test")))  # type: ignore[arg-type]


def problem(inside: Inside) -> str:
    return inside.run(asyncio.to_thread(alerting.problem))


def test_owners_are_told_by_e_mail_once_and_a_test_is_over_then(watch: Round, mailbox: Mailbox):
    with_mail(watch.inside, mailbox.url)
    alarm(watch.inside)
    alarm(watch.inside, "2", sentence="Another.\nSentence.")
    assert watch.look() == []
    assert watch.closed() == 2
    (message,) = mailbox.messages
    assert (message["To"], message["Subject"]) == ("ann@example.com", "oncue: 2 alerts")
    text = message.get_content()
    assert "Only a test." in text and "Another." in text and f"{URL}/settings/alerts" in text
    assert watch.look(2) == []
    assert len(mailbox.messages) == 1


def test_the_subject_of_one_alert_is_its_sentence_on_one_line(watch: Round, mailbox: Mailbox):
    with_mail(watch.inside, mailbox.url)
    tell_at(watch.inside, emails=("team@example.com", "pager@example.com"))
    alarm(watch.inside, sentence="One\nsentence.")
    watch.look()
    assert {message["To"] for message in mailbox.messages} == {"team@example.com", "pager@example.com"}
    assert {message["Subject"] for message in mailbox.messages} == {"oncue: One sentence."}


def hooked(watch: Round, play: Play, act: Callable[[Wire], None]) -> None:
    """Do it while a server answers so."""
    inside = watch.inside

    async def start() -> tuple[object, Wire]:
        context = serving(play)
        return context, await context.__aenter__()

    context, wire = inside.run(start())
    try:
        act(wire)
    finally:
        inside.run(context.__aexit__(None, None, None))  # type: ignore[attr-defined]


def test_who_could_not_be_told_is_tried_again_and_nobody_is_told_twice(watch: Round, mailbox: Mailbox):
    inside, answers = watch.inside, [500, 200, 200]
    with_mail(inside, mailbox.url)

    async def play(call: Call) -> None:
        call.answer(answers.pop(0), b"")

    def act(wire: Wire) -> None:
        tell_at(inside, webhook_url=f"{wire.url}/secret-path")
        alarm(inside)
        assert len(watch.look()) == 1
        assert problem(inside).startswith(f"127.0.0.1:{wire.port} could not be told: The other system answered 500")
        assert "secret-path" not in problem(inside)
        assert len(mailbox.messages) == 1
        watch.look()  # too soon: nothing is tried
        assert len(wire.calls) == 1
        clock_forward(watch)
        watch.look()
        assert (len(mailbox.messages), len(wire.calls), problem(inside)) == (1, 2, "")
        body = msgspec.json.decode(wire.calls[1].body)
        assert (body["type"], body["text"]) == ("oncue.alerts", "Only a test.")
        assert body["alerts"][0]["kind"] == "test"
        first, second = (call.headers["webhook-id"] for call in wire.calls)
        assert first == second
        assert watch.look() == []

    hooked(watch, play, act)


def clock_forward(watch: Round) -> None:
    """The time to wait has passed."""
    failed = watch.alerts._failed
    for way, failure in failed.items():
        failed[way] = msgspec.structs.replace(failure, again_at=0.0)


def test_if_there_is_no_way_to_anybody_the_page_can_say_so_and_they_are_told_later(watch: Round, mailbox: Mailbox):
    alarm(watch.inside, kind="unknown", key="messages")
    watch.inside.execute("UPDATE store_alert SET kind = 'test'")
    watch.look(2)
    assert problem(watch.inside) == NOBODY
    with_mail(watch.inside, mailbox.url)
    watch.look()
    assert len(mailbox.messages) == 1
    assert problem(watch.inside) == ""


def test_a_test_that_nobody_can_be_told_of_is_given_up(watch: Round):
    alarm(watch.inside)
    assert len(watch.look()) == 1
    turn(601)
    assert watch.look() == []


def test_what_a_form_says_is_checked(inside: Inside):
    given, faults = alerting.read_values(
        " Ann@Example.com\nann@example.com, bob@example.com\n", " https://hooks.example.com/x "
    )
    assert not faults
    assert given == Alerting(emails=("ann@example.com", "bob@example.com"), webhook_url="https://hooks.example.com/x")
    _, faults = alerting.read_values("ann", "ftp://example.com")
    assert [fault.field for fault in faults] == ["emails", "webhook_url"]


def test_the_audit_trail_says_who_is_told_but_no_secret_of_an_address(inside: Inside):
    tell_at(inside, emails=("ann@example.com",), webhook_url="https://hooks.example.com/services/SECRET")
    ((after,),) = inside.rows("SELECT after FROM store_audit WHERE name = 'alerts'")
    assert msgspec.json.decode(after) == {"emails": ["ann@example.com"], "webhook": "hooks.example.com"}

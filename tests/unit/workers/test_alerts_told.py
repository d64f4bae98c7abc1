"""Alerts: those who should know are told, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from house import Mailbox
from inside import LOOP, URL, Inside, clock_put_back, inside, turn
from oncue.store import alerting, alerts, members
from oncue.store.alerting import Alerting
from oncue.store.alerts import Alarm
from oncue.store.jobs import Edit
from oncue.workers.alerts import NOBODY
from watching import Round, watch
from wire import Call, Play, Wire, serving

__all__ = ["clock_put_back", "inside", "watch"]

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")


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

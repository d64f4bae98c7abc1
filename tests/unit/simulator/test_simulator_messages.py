"""Fetch, list, update, delete and media: the official package, unchanged."""

import json
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from twilio.base.exceptions import TwilioRestException

from oncue.core import clock
from oncue.simulator import defaults
from oncue.testing import wait_for

ANN, BOB = "+15005551001", "+15005551002"
PICTURE = "https://example.com/{}.jpg"


def bodies(messages):
    return [message.body for message in messages]


@pytest.fixture
def send(client):
    """A text, by its words alone."""

    def text(body="Hello", to=ANN, sender=defaults.LONG_CODE, **more):
        return client.messages.create(to=to, from_=sender, body=body, **more)

    return text


@pytest.fixture
def all_sent(simulator):
    def wait():
        wait_for(lambda: all(one["status"] == "delivered" for one in simulator.state()["messages"]), 5)

    return wait


def test_fetch_gives_what_create_gave_and_then_what_became_of_it(client, send, simulator, final):
    simulator.fault("undelivered", to=BOB, code=30005)
    message = send(to=BOB)
    fetched = final(message.sid, "undelivered")
    assert (fetched.sid, fetched.body, fetched.to) == (message.sid, message.body, BOB)
    assert (fetched.status, fetched.error_code) == ("undelivered", 30005)
    assert fetched.date_sent is not None


def test_the_list_is_newest_first_and_holds_what_came_in_as_well(client, send, simulator):
    send("one"), send("two")
    simulator.text(ANN, "three")
    listed = client.messages.list()
    assert bodies(listed) == ["three", "two", "one"]
    assert [one.direction for one in listed] == ["inbound", "outbound-api", "outbound-api"]
    assert (listed[0].status, listed[0].from_, listed[0].to) == ("received", ANN, defaults.LONG_CODE)


def test_an_empty_list_is_empty(client):
    page = client.messages.page()
    assert list(page) == [] and page.next_page() is None


def test_over_120_messages_stream_through_pages_of_25_each_once(client, send):
    for number in range(123):
        send(str(number))
    streamed = []
    for message in islice(client.messages.stream(page_size=25), 200):
        streamed.append(message.body)
        if len(streamed) == 30:
            send("new")  # while somebody pages; it shifts nothing
    assert streamed == [str(number) for number in reversed(range(123))]
    assert bodies(client.messages.list(limit=7)) == ["new", *streamed[:6]]


def test_a_page_has_twilio_s_envelope_with_relative_uris(client, send, simulator):
    for number in range(5):
        send(str(number))
    path = f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/Messages.json"
    answer = client.request("GET", f"{simulator.url}{path}", params={"PageSize": 2, "To": ANN})
    envelope = json.loads(answer.text)
    assert [message["body"] for message in envelope.pop("messages")] == ["4", "3"]
    uris = {name: envelope.pop(name) for name in ("uri", "first_page_uri", "next_page_uri")}
    assert all(uri.startswith(f"{path}?") and "PageSize=2" in uri and "To=%2B1" in uri for uri in uris.values())
    assert envelope == {"page": 0, "page_size": 2, "start": 0, "end": 1, "previous_page_uri": None}

    first = client.messages.page(to=ANN, page_size=2)
    second = first.next_page()
    third = second.next_page()
    assert (bodies(first), bodies(second), bodies(third)) == (["4", "3"], ["2", "1"], ["0"])
    assert third.next_page() is None


@pytest.mark.parametrize(
    "asked, found",
    [
        ({"to": ANN}, ["3", "1"]),
        ({"to": BOB}, ["2"]),
        ({"to": "+15005551003"}, []),
        ({"from_": defaults.TOLL_FREE}, ["3", "2"]),
        ({"from_": ANN}, ["in"]),
        ({"to": ANN, "from_": defaults.TOLL_FREE}, ["3"]),
        ({"to": defaults.TOLL_FREE}, ["in"]),
    ],
)
def test_to_and_from_narrow_the_list(client, send, simulator, asked, found):
    send("1"), send("2", BOB, defaults.TOLL_FREE), send("3", ANN, defaults.TOLL_FREE)
    simulator.text(ANN, "in", to=defaults.TOLL_FREE)
    assert bodies(client.messages.list(**asked)) == found


def test_date_sent_filters_are_inclusive_to_the_second(client, send, simulator, all_sent, final):
    early = final(send("early").sid)
    wait_for(lambda: clock.now() // 1_000 > early.date_sent.timestamp() + 1, 5)
    late = final(send("late").sid)
    second = timedelta(seconds=1)
    for asked, found in [
        ({"date_sent_after": early.date_sent}, ["late", "early"]),
        ({"date_sent_after": early.date_sent + second}, ["late"]),
        ({"date_sent_after": late.date_sent + second}, []),
        ({"date_sent_before": late.date_sent}, ["late", "early"]),
        ({"date_sent_before": early.date_sent}, ["early"]),
        ({"date_sent_before": early.date_sent - second}, []),
        ({"date_sent_after": early.date_sent, "date_sent_before": early.date_sent}, ["early"]),
    ]:
        assert bodies(client.messages.list(**asked)) == found, asked


def test_date_sent_alone_means_that_day(client, send, final):
    day = final(send().sid).date_sent.date()
    assert bodies(client.messages.list(date_sent=day)) == ["Hello"]
    assert bodies(client.messages.list(date_sent_before=str(day), date_sent_after=day)) == ["Hello"]
    assert client.messages.list(date_sent=day - timedelta(days=1)) == []
    assert client.messages.list(date_sent_after=day + timedelta(days=1)) == []


def test_what_was_not_sent_has_no_date_and_no_filter_finds_it(client, send, simulator):
    simulator.fault("stuck")
    send()
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    assert client.messages.list()[0].date_sent is None
    assert client.messages.list(date_sent_after=long_ago) == []


@pytest.mark.parametrize("service", [False, True])
def test_a_queued_or_accepted_message_can_be_canceled_and_calls_back(client, simulator, receiver, service):
    simulator.dial(pace=60)
    sender = {"messaging_service_sid": defaults.SERVICE_SID} if service else {"from_": defaults.LONG_CODE}
    message = client.messages.create(to=ANN, body="Hello", status_callback=receiver.hook, **sender)
    canceled = client.messages(message.sid).update(status="canceled")
    assert canceled.status == client.messages(message.sid).fetch().status == "canceled"
    assert [call.status for call in receiver.wait(1)] == ["canceled"]
    assert simulator.phone(ANN) == []


def test_a_message_canceled_on_its_way_stays_canceled(client, send, simulator):
    simulator.dial(pace=1.5)  # time enough to cancel it, on a busy machine too
    message = send()
    client.messages(message.sid).update(status="canceled")
    other = send(to=BOB)
    wait_for(lambda: client.messages(other.sid).fetch().status == "sent", 10)  # by now it would have moved on
    assert client.messages(message.sid).fetch().status == "canceled" and simulator.phone(ANN) == []


def test_a_scheduled_message_waits_and_can_be_canceled(client):
    send_at = datetime.fromtimestamp(clock.now() / 1_000 + 3_600, UTC)
    message = client.messages.create(
        to=ANN, messaging_service_sid=defaults.SERVICE_SID, body="Hello", schedule_type="fixed", send_at=send_at
    )
    assert message.status == "scheduled"
    assert client.messages(message.sid).update(status="canceled").status == "canceled"


def test_what_is_final_cannot_be_canceled(client, send, final):
    message = final(send().sid)
    with pytest.raises(TwilioRestException) as refusal:
        client.messages(message.sid).update(status="canceled")
    assert refusal.value.code == 30409
    assert client.messages(message.sid).fetch().status == "delivered"


def test_a_body_can_be_redacted_and_nothing_else_is_lost(client, send, final):
    message = final(send("My code is 123").sid)
    assert client.messages(message.sid).update(body="").body == ""
    after = client.messages(message.sid).fetch()
    assert (after.body, after.status, after.to) == ("", "delivered", ANN)


def test_what_is_not_complete_cannot_be_redacted(client, send, simulator):
    simulator.fault("stuck")
    message = send("My code is 123")
    with pytest.raises(TwilioRestException) as refusal:
        client.messages(message.sid).update(body="")
    assert (refusal.value.status, refusal.value.code) == (409, 20009)
    assert client.messages(message.sid).fetch().body == "My code is 123"


def test_to_cancel_and_to_redact_at_once_is_refused(client, send, final):
    message = final(send().sid)
    with pytest.raises(TwilioRestException) as refusal:
        client.messages(message.sid).update(body="", status="canceled")
    assert (refusal.value.status, refusal.value.code) == (400, 30400)


def test_a_body_cannot_be_rewritten(client, send, final):
    message = final(send().sid)
    with pytest.raises(TwilioRestException) as refusal:
        client.messages(message.sid).update(body="Something else")
    assert refusal.value.status == 400
    assert client.messages(message.sid).fetch().body == "Hello"


def test_a_deleted_message_is_gone(client, send, simulator, final):
    kept, message = final(send("kept").sid), final(send("gone").sid)
    assert client.messages(message.sid).delete() is True
    for act in (client.messages(message.sid).fetch, client.messages(message.sid).delete):
        with pytest.raises(TwilioRestException) as refusal:
            act()
        assert (refusal.value.status, refusal.value.code) == (404, 20404)
    assert (
        [one.sid for one in client.messages.list()] == [one.sid for one in client.messages.list(to=ANN)] == [kept.sid]
    )
    assert simulator.state(counts=True)["accepted"] == 1


def test_a_message_in_progress_cannot_be_deleted(client, send, simulator):
    simulator.fault("stuck")
    message = send()
    with pytest.raises(TwilioRestException) as refusal:
        client.messages(message.sid).delete()
    assert refusal.value.code == 20009
    assert client.messages(message.sid).fetch().status == "queued"


def test_the_media_of_a_message_are_listed_and_fetched(client, send):
    message = send(media_url=[PICTURE.format(number) for number in range(3)])
    media = client.messages(message.sid).media.list()
    assert len({one.sid for one in media}) == 3 and all(one.sid.startswith("ME") for one in media)
    assert {one.parent_sid for one in media} == {message.sid}
    one = client.messages(message.sid).media(media[1].sid).fetch()
    assert (one.sid, one.content_type) == (media[1].sid, "image/jpeg")
    assert client.messages(send().sid).media.list() == []
    with pytest.raises(TwilioRestException) as refusal:
        client.messages(message.sid).media("ME" + "0" * 32).fetch()
    assert refusal.value.code == 20404


def test_a_picture_is_deleted_and_the_message_stays(client, send, simulator, final):
    message = final(send(media_url=[PICTURE.format(number) for number in range(2)]).sid)
    gone, kept = client.messages(message.sid).media.list()
    assert client.messages(message.sid).media(gone.sid).delete() is True
    assert [one.sid for one in client.messages(message.sid).media.list()] == [kept.sid]
    with pytest.raises(TwilioRestException) as refusal:
        client.messages(message.sid).media(gone.sid).delete()
    assert refusal.value.code == 20404
    assert client.messages(message.sid).fetch().num_media == "2"
    assert len(simulator.phone(ANN)[0]["media"]) == 2, "who got them has them"

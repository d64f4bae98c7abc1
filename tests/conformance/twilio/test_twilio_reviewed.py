"""What a review of the adaptor found, each kept from coming back."""

import asyncio
from email.utils import formatdate

import msgspec
import pytest
from twilio_cases import ACCOUNT, MESSAGE, SENDER, SERVICE, Script, answering, outgoing, posted

from oncue.adaptors.twilio import adaptor, errors
from oncue.core import clock, fields
from oncue.core.adaptor import Heard, Impossible, Prepared
from oncue.core.http import Response
from oncue.core.outcome import Blame

READ = {one.name: one.read for one in adaptor.inbound}
SID = "SM" + "1" * 32


def prepared(config, user=None, **given):
    values, faults = fields.read(adaptor.actions[0].fields, {"to": "+16175551212", "body": "hello", **given})
    return (
        Impossible(faults[0].field, faults[0].sentence)
        if faults
        else adaptor.actions[0].prepare(config, values, user or {})
    )


def test_wild_bug_2_a_callback_with_four_parameters_works(config):
    form = {"MessageSid": SID, "MessageStatus": "sent", "To": "+16175551212", "From": SENDER}
    assert isinstance(READ["status"](config, posted("status", form, tail=MESSAGE)), Heard)


def listing(rows, date=0):
    body = msgspec.json.encode({"messages": rows, "next_page_uri": None})
    headers = {"date": formatdate((date or clock.now()) / 1000, usegmt=True)}
    return Script(lambda m, u: Response(200, headers, body))


def row(direction, status, at, sid=SID):
    return {
        "sid": sid,
        "status": status,
        "direction": direction,
        "date_created": formatdate(at / 1000),
        "from": "+16175551212",
        "to": SENDER,
        "body": "hi",
        "num_media": "0",
        "error_code": None,
        "error_message": None,
    }


@pytest.mark.parametrize(("direction", "status"), [("inbound", "received"), ("outbound-api", "delivered")])
def test_polling_an_account_where_nothing_happens_reports_nothing_an_hour_later(config, direction, status):
    start = clock.now()
    cursor = asyncio.run(adaptor.poll(listing([]), config, {})).cursor
    rows = [row(direction, status, start + 1000)]
    cursor = asyncio.run(adaptor.poll(listing(rows), config, cursor)).cursor
    clock.turn(clock.HOUR)
    try:
        assert asyncio.run(adaptor.poll(listing(rows), config, cursor)).reports == ()
    finally:
        clock.turn(-clock.HOUR)


def test_a_laptop_whose_clock_is_ten_minutes_fast_still_hears(config):
    real = clock.now()
    clock.turn(10 * clock.MINUTE)
    try:
        cursor = asyncio.run(adaptor.poll(listing([], real), config, {})).cursor
        assert asyncio.run(
            adaptor.poll(listing([row("inbound", "received", real + 5000)], real + 6000), config, cursor)
        ).reports
    finally:
        clock.turn(-10 * clock.MINUTE)


def test_a_backlog_longer_than_one_poll_reads_is_not_forgotten(config):
    """1,100 messages while the laptop was shut; the oldest is a STOP."""
    start = clock.now()
    cursor = asyncio.run(adaptor.poll(listing([]), config, {})).cursor
    rows = [row("inbound", "received", start + 2_000 * n + 2_000, f"SM{n:032x}") for n in range(1100)][::-1]

    def page(method, url):
        from urllib.parse import parse_qs, urlsplit

        query = parse_qs(urlsplit(url).query)
        at, size = int(query.get("Page", ["0"])[0]), int(query.get("PageSize", ["50"])[0])
        part, more = rows[at * size : at * size + size], rows[(at + 1) * size :]
        following = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageSize={size}&Page={at + 1}" if more else None
        return Response(200, {}, msgspec.json.encode({"messages": part, "next_page_uri": following}))

    seen = set()
    clock.turn(clock.HOUR)
    try:
        for _ in range(10):
            polled = asyncio.run(adaptor.poll(Script(page), config, cursor))
            cursor, seen = polled.cursor, seen | {one.provider_id for one in polled.reports}
    finally:
        clock.turn(-clock.HOUR)
    assert len(seen) == 1100


def test_429_while_polling_is_left_alone_as_long_as_asked(config):
    assert asyncio.run(adaptor.poll(answering(429, {"code": 20429}, retry_after="90"), config, {})).after == 90


def test_a_local_number_without_its_area_code_is_refused(config):
    config["default_sender"] = "+16175550000"
    assert isinstance(prepared(config, {"country": "US"}, to="555 1234"), Impossible)


def test_a_short_code_sends_100_a_second(config):
    assert prepared(config, **{"from": "72345"}).lane.per_second == 100


def test_past_its_send_by_time_nothing_is_posted(config):
    http = answering(201, {"sid": SID, "status": "queued"})
    asyncio.run(adaptor.actions[0].send(http, config, outgoing(within=-5)))
    assert not http.calls


def test_two_seconds_before_its_send_by_time_twilio_may_queue_it_for_two(config):
    http = answering(201, {"sid": SID, "status": "queued"})
    asyncio.run(adaptor.actions[0].send(http, config, outgoing(within=2)))
    assert int(dict(http.form())["ValidityPeriod"]) <= 2


def test_shorten_urls_needs_a_service(config):
    assert isinstance(prepared(config, shorten_urls="true"), Impossible)


def test_a_body_of_spaces_is_no_content(config):
    assert isinstance(prepared(config, body="   "), Impossible)


def test_a_country_may_be_given_by_name(config):
    assert isinstance(prepared(config, {"country": "Ireland"}, to="087 123 4567"), Prepared)


@pytest.mark.parametrize("body", ["STOP 🛑", "(stop)", "stop…", "STOP;", "*STOP*", "ＳＴＯＰ", "stop\u200b"])
def test_more_punctuation_round_a_stop(config, body):
    form = {"AccountSid": ACCOUNT, "MessageSid": SID, "From": "+16175551212", "To": SENDER, "Body": body}
    assert READ["message"](config, posted("message", form)).reports[0].consent == "opted_out"


def test_num_media_is_a_property_of_a_reply(config):
    form = {
        "AccountSid": ACCOUNT,
        "MessageSid": SID,
        "From": "+16175551212",
        "To": SENDER,
        "Body": "x",
        "NumMedia": "2",
    }
    assert READ["message"](config, posted("message", form)).reports[0].properties.get("num_media") == 2


@pytest.mark.parametrize("code", [21621, 21622, 21703])
def test_what_only_pictures_or_one_destination_meet_does_not_pause_the_sender(config, code):
    http = answering(400, {"code": code})
    assert asyncio.run(adaptor.actions[0].send(http, config, outgoing())).blame is not Blame.SENDER


IN_REFERENCE = [
    "20003",
    "20005",
    "10001",
    "90010",
    "20006",
    "20403",
    "20008",
    "20404",
    "20429",
    "20500",
    "20503",
    "20504",
    "21211",
    "21212",
    "21217",
    "21201",
    "21266",
    "21267",
    "21408",
    "21602",
    "21603",
    "21604",
    "21606",
    "21608",
    "21609",
    "21610",
    "21611",
    "21612",
    "21614",
    "21616",
    "21617",
    "21618",
    "21619",
    "21620",
    "21621",
    "21622",
    "21623",
    "21624",
    "90007",
    "30045",
    "21635",
    "21653",
    "21654",
    "21655",
    "21656",
    "21657",
    "21658",
    "21659",
    "21660",
    "21661",
    "21664",
    "21666",
    "21667",
    "21701",
    "21702",
    "21705",
    "21703",
    "21704",
    "21709",
    "21711",
    "21712",
    "35111",
    "35114",
    "35115",
    "35117",
    "35118",
    "35126",
    "35125",
    "30409",
    "30001",
    "30002",
    "30003",
    "30004",
    "30005",
    "30006",
    "30007",
    "30008",
    "30009",
    "30010",
    "30011",
    "30017",
    "30018",
    "30024",
    "30040",
    "30019",
    "30020",
    "30021",
    "30022",
    "30023",
    "30027",
    "30025",
    "30026",
    "30032",
    "30033",
    "30034",
    "30035",
    "30036",
    "30039",
    "30410",
    "30450",
    "30610",
    "30630",
    "30640",
]


def test_every_code_of_the_reference_is_in_the_table():
    assert not [code for code in IN_REFERENCE if int(code) not in errors.ERRORS]


def test_set_inbound_leaves_webhooks_in_use_alone(config):
    numbers = [
        {"sid": "PN1", "phone_number": SENDER, "sms_url": ""},
        {"sid": "PN2", "phone_number": "+16175550000", "sms_url": "https://crm.example/sms"},
    ]

    def answer(method, url):
        found = (
            {"incoming_phone_numbers": numbers}
            if "IncomingPhoneNumbers.json" in url
            else {"services": []}
            if "Services" in url
            else {}
        )
        return Response(200, {}, msgspec.json.encode(found))

    http = Script(answer)
    asyncio.run(adaptor.set_inbound(http, config, "https://oncue.example.com/hooks/twilio/message"))
    posts = [(url, more["body"].decode()) for method, url, more in http.calls if method == "POST"]
    assert [url.rpartition("/")[2] for url, _ in posts] == ["PN1.json"]
    assert "oncue.example.com%2Fhooks%2Ftwilio%2Fmessage" in posts[0][1]


def test_a_wrong_auth_token_beside_a_good_api_key_is_told(config):
    config.update(api_key_sid="SK" + "0" * 32, api_key_secret="secret")

    class Keyed:
        async def request(self, method, url, *, auth=None, **more):
            if auth[0].startswith("AC"):
                return Response(401, {}, b'{"code":20003}')
            return Response(200, {}, b'{"messages":[],"incoming_phone_numbers":[],"services":[]}')

    checked = asyncio.run(adaptor.check(Keyed(), config))
    assert not checked.ok or any("token" in note.lower() for note in checked.notes)


def test_a_suspended_account_is_told(config):
    def answer(method, url):
        return Response(
            200,
            {},
            msgspec.json.encode(
                {"messages": [], "incoming_phone_numbers": [], "services": [], "status": "suspended", "type": "Full"}
            ),
        )

    checked = asyncio.run(adaptor.check(Script(answer), config))
    assert not checked.ok or "suspended" in str(checked)


def test_a_stop_sent_to_the_status_door_is_not_lost(config):
    form = {
        "AccountSid": ACCOUNT,
        "MessageSid": SID,
        "From": "+16175551212",
        "To": SENDER,
        "Body": "STOP",
        "SmsStatus": "received",
    }
    heard = READ["status"](config, posted("status", form))
    assert getattr(heard.reports[0], "consent", "") == "opted_out"


def test_delivered_through_a_service_implies_queued(config):
    one = {**row("outbound-api", "delivered", clock.now()), "messaging_service_sid": SERVICE}
    polled = asyncio.run(adaptor.poll(listing([one]), config, {}))
    assert "queued" in polled.reports[0].implied


def test_replies_of_one_second_are_polled_in_the_order_in_which_they_were_written(config):
    """The list is newest first; a START taken after the STOP that followed it would lift it."""
    now = clock.now()
    stop, start = (
        row("inbound", "received", now, sid) | {"body": body} for sid, body in (("SM2", "STOP"), ("SM1", "START"))
    )
    reports = asyncio.run(adaptor.poll(listing([stop, start]), config, {})).reports
    assert [one.body for one in reports] == ["START", "STOP"]

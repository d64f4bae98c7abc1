"""Quiet hours: whose clock counts, when it is night there, and until when; and the policy as people write it."""

import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest

from oncue.adaptors import load
from oncue.core import clock
from oncue.core.message import Category
from oncue.rules import timing
from oncue.rules.document import Document, read_document, write_document
from oncue.rules.policy import FIELDS, Policy, differing, read_values
from oncue.rules.timing import NEVER, night, quiet_until, zones_of

BOTH = (Category.TRANSACTIONAL, Category.PROMOTIONAL)
DUBLIN, NEW_YORK = ("Europe/Dublin",), ("America/New_York",)


def utc(text: str) -> int:
    """Milliseconds of `2027-01-15 21:00:00` in UTC."""
    return clock.parse_iso(text)


def ends(zones, at: str, begin: str = "21:00", end: str = "08:00") -> str | None:
    """When it stops being quiet, in UTC to the minute; None if it is not quiet."""
    until = quiet_until(Policy(quiet_from=begin, quiet_to=end), zones, utc(at))
    return None if until is None else clock.iso(until).replace("T", " ")[:16]


def test_the_night_begins_and_ends_on_the_second():
    assert ends(DUBLIN, "2027-01-15 20:59:59.999") is None
    for at in ("2027-01-15 21:00:00", "2027-01-15 23:59:59.999", "2027-01-16 00:00:00", "2027-01-16 07:59:59.999"):
        assert ends(DUBLIN, at) == "2027-01-16 08:00"
    assert ends(DUBLIN, "2027-01-16 08:00:00") is None


def test_it_is_the_person_s_time_that_counts():
    assert ends(NEW_YORK, "2027-01-15 21:00:00") is None, "four in the afternoon"
    assert ends(NEW_YORK, "2027-01-16 02:00:00") == "2027-01-16 13:00", "nine in the evening, until eight"
    assert ends(("Asia/Kathmandu",), "2027-01-15 15:14:59") is None
    assert ends(("Asia/Kathmandu",), "2027-01-15 15:15:00") == "2027-01-16 02:15", "5:45 ahead"


def test_a_window_within_a_day_and_one_that_is_empty():
    assert ends(DUBLIN, "2027-01-15 12:59:59", "13:00", "15:30") is None
    assert ends(DUBLIN, "2027-01-15 13:00:00", "13:00", "15:30") == "2027-01-15 15:30"
    assert ends(DUBLIN, "2027-01-15 15:30:00", "13:00", "15:30") is None
    for at in ("2027-01-15 08:00:00", "2027-01-15 07:59:00", "2027-01-15 20:00:00"):
        assert ends(DUBLIN, at, "08:00", "08:00") is None, "the same time is never quiet"
    assert ends(DUBLIN, "2027-01-15 23:59:00", "00:00", "23:59") is None
    assert ends(DUBLIN, "2027-01-15 23:58:00", "00:00", "23:59") == "2027-01-15 23:59"


DST = [
    ("the night in which the clocks go forward is shorter", DUBLIN, "2027-03-27 22:00", "21:00", "08:00", "2027-03-28 07:00"),
    ("the night in which they go back is longer", DUBLIN, "2027-10-30 20:30", "21:00", "08:00", "2027-10-31 08:00"),
    ("a morning that is left out begins when the clocks went forward", NEW_YORK, "2027-03-14 05:00", "21:00", "02:30", "2027-03-14 07:00"),
    ("an evening that is left out too", NEW_YORK, "2027-03-14 07:00", "02:30", "03:30", "2027-03-14 07:30"),
    ("a morning that comes twice: the first", NEW_YORK, "2027-11-07 04:00", "21:00", "01:30", "2027-11-07 05:30"),
    ("and between the two", NEW_YORK, "2027-11-07 05:45", "21:00", "01:30", None),
    ("and the second", NEW_YORK, "2027-11-07 06:10", "21:00", "01:30", "2027-11-07 06:30"),
    ("an evening after the clocks went back", NEW_YORK, "2027-11-07 06:00", "01:00", "03:00", "2027-11-07 08:00"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "zones", "at", "begin", "end", "until"), DST, ids=[one[0] for one in DST])
def test_days_on_which_the_clocks_change(what, zones, at, begin, end, until):
    assert ends(zones, at, begin, end) == until


WINDOWS = [("21:00", "08:00"), ("22:30", "02:30"), ("01:45", "02:15"), ("00:00", "03:00"), ("03:00", "23:00")]
CHANGES = {
    "Europe/Dublin": ("2027-03-28", "2027-10-31"),
    "America/New_York": ("2027-03-14", "2027-11-07"),
    "Australia/Lord_Howe": ("2027-04-03", "2027-10-02"),
    "America/St_Johns": ("2027-03-14", "2027-11-07"),
    "Africa/Casablanca": ("2027-02-07", "2027-03-14"),
    "Asia/Kolkata": ("2027-05-05",),
}


@pytest.mark.parametrize("zone", CHANGES)
def test_the_end_is_the_first_minute_at_which_the_wall_clock_says_so(zone):
    """Compared with looking at each minute, around the days on which the clocks change."""
    there = zoneinfo.ZoneInfo(zone)
    for day in CHANGES[zone]:
        begins = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=14)
        walls = [(begins + timedelta(minutes=n)).astimezone(there).strftime("%H:%M") for n in range(4_000)]
        for begin, end in WINDOWS:
            quiet = [begin <= wall < end if begin < end else wall >= begin or wall < end for wall in walls]
            assert len(set(quiet)) == 2
            for n in range(0, 2_000, 7):
                expected = quiet.index(False, n) if quiet[n] else None
                at = int(begins.timestamp() * 1000) + n * clock.MINUTE
                until = quiet_until(Policy(quiet_from=begin, quiet_to=end), (zone,), at)
                assert until == (None if expected is None else at + (expected - n) * clock.MINUTE), (
                    day,
                    begin,
                    end,
                    walls[n],
                )


def test_where_a_person_may_be_in_several_zones_it_is_night_in_any_of_them():
    zones = ("America/New_York", "Pacific/Honolulu")
    assert ends(zones, "2027-01-15 17:59:59") == "2027-01-15 18:00", "noon in New York, not yet eight in Honolulu"
    assert ends(zones, "2027-01-15 18:00:00") is None
    assert ends(zones, "2027-01-16 01:59:59") is None
    assert ends(zones, "2027-01-16 02:00:00") == "2027-01-16 18:00", (
        "nine in New York: until it is eight in Honolulu too"
    )


def test_zones_too_far_apart_are_never_all_awake():
    at = utc("2027-01-15 12:00")
    found = night(Policy(), ("Pacific/Pago_Pago", "Europe/London", "Asia/Tokyo"), at)
    assert found.until_at == at + NEVER and "it is always quiet in one of them" in found.sentence


def test_the_sentence_says_what_time_it_was_where_and_until_when():
    assert night(Policy(), DUBLIN, utc("2027-01-15 22:10:30")).sentence == (
        "It was 22:10 (Europe/Dublin), and quiet until 08:00"
    )
    several = night(Policy(), ("America/New_York", "Pacific/Honolulu"), utc("2027-01-15 15:10")).sentence
    assert several == (
        "It was 05:10 (Pacific/Honolulu), in one of the 2 time zones that the number may be in, and quiet until 08:00"
    )


WHERE = [
    ({"timezone": "America/New_York"}, "+353851234567", "IE", NEW_YORK, "what the app says comes first"),
    ({"timezone": " europe/DUBLIN "}, "+12125551234", "US", DUBLIN, "in any case"),
    ({"timezone": "Moon/Base"}, "+353851234567", "IE", DUBLIN, "no zone: the number"),
    ({"timezone": "../../etc/passwd"}, "", "", ("Asia/Tokyo",), "no zone and no number: the default"),
    ({"timezone": 60}, "+353851234567", "IE", DUBLIN, "no text"),
    ({}, "+353851234567", "IE", DUBLIN, "a country of one zone"),
    ({}, "+447400123456", "GB", ("Europe/London",), "another"),
    ({}, "+12125551234", "US", NEW_YORK, "an area code"),
    ({}, "+13035551234", "US", ("America/Denver",), "another"),
    ({}, "+16715551234", "GU", ("Pacific/Guam",), "an island"),
    ({}, "+882131234567", "", ("Asia/Tokyo",), "a satellite: the default"),
    ({}, "ann@example.com", "IE", DUBLIN, "no number, but its country is known"),
    ({}, "", "", ("Asia/Tokyo",), "nothing at all"),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "number", "country", "zones", "what"), WHERE, ids=[one[4] for one in WHERE])
def test_whose_time_it_is(properties, number, country, zones, what):
    assert zones_of(properties, number, country, "Asia/Tokyo") == zones


SEVERAL = [
    ("+61412345678", "AU", {"Australia/Perth", "Australia/Sydney"}, "a mobile in Australia"),
    ("+79161234567", "RU", {"Europe/Moscow", "Asia/Kamchatka"}, "a mobile in Russia"),
    ("+34612345678", "ES", {"Europe/Madrid", "Atlantic/Canary"}, "a mobile in Spain"),
    ("+18005551234", "US", {"America/New_York", "Pacific/Honolulu"}, "toll-free"),
    ("+15005550006", "US", {"America/New_York", "America/Anchorage"}, "a test number"),
    ("+12665551234", "US", {"America/St_Johns", "America/New_York", "Pacific/Honolulu"}, "an area code nobody knows yet"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "country", "some", "what"), SEVERAL, ids=[one[3] for one in SEVERAL])
def test_a_number_that_may_be_in_several_zones_is_taken_to_be_in_all_of_them_and_has_a_day_left(
    number, country, some, what
):
    zones = zones_of({}, number, country, "UTC")
    assert some <= set(zones)
    awake = [
        half for half in range(48) if quiet_until(Policy(), zones, utc("2027-01-15") + half * 30 * clock.MINUTE) is None
    ]
    assert len(awake) >= 4, "two hours a day at least"


def test_a_machine_without_time_zones_has_them_all_the_same():
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    timing._zone.cache_clear()
    timing._morning.cache_clear()
    try:
        assert ends(NEW_YORK, "2027-07-16 01:00:00") == "2027-07-16 12:00"
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()


def test_a_saved_zone_that_a_later_release_of_the_zones_lacks_is_utc():
    assert ends(("Europe/Atlantis",), "2027-07-15 21:00:00") == "2027-07-16 08:00"


# The policy as people write it.


def test_without_a_word_nobody_gets_an_offer_at_night_and_there_is_no_cap():
    policy, faults = read_values({})
    assert policy == Policy() and not faults
    assert (policy.quiet_from, policy.quiet_to, policy.quiet_categories) == ("21:00", "08:00", (Category.PROMOTIONAL,))
    assert (policy.default_zone, policy.cap_messages) == ("UTC", 0)


def test_a_form_s_texts_are_typed():
    policy, faults = read_values(
        {
            "quiet_from": " 22:30 ", "quiet_to": "7:00", "quiet_categories": ["promotional", "transactional"],
            "default_zone": "europe/dublin", "cap_messages": "3", "cap_days": "30", "cap_categories": "transactional",
        }
    )  # fmt: skip
    assert not faults
    assert policy == Policy(
        quiet_from="22:30", quiet_to="07:00", quiet_categories=BOTH, default_zone="Europe/Dublin",
        cap_messages=3, cap_days=30, cap_categories=(Category.TRANSACTIONAL,),
    )  # fmt: skip
    assert differing(Policy(), policy) == [field.name for field in FIELDS]


def test_no_category_is_not_the_usual_category():
    assert read_values({"quiet_categories": [], "cap_categories": ""})[0] == Policy(
        quiet_categories=(), cap_categories=()
    )


WRONG = [
    ({"quiet_from": "24:00"}, "quiet_from", "Quiet from is a time of day such as 21:00."),
    ({"quiet_to": "8"}, "quiet_to", "Quiet to is a time of day such as 08:00."),
    ({"quiet_categories": ["marketing"]}, "quiet_categories", "Quiet for lists transactional and promotional, or nothing; not 'marketing'."),
    ({"default_zone": "Dublin"}, "default_zone", "There is no time zone 'Dublin'; give its IANA name, such as Europe/Dublin."),
    ({"cap_messages": "-1"}, "cap_messages", "Most messages must be from 0 to 1000, not -1."),
    ({"cap_messages": "few"}, "cap_messages", "Most messages must be a whole number, not 'few'."),
    ({"cap_days": "31"}, "cap_days", "In so many days must be from 1 to 30, not 31."),
    ({"cap_days": "0"}, "cap_days", "In so many days must be from 1 to 30, not 0."),
    ({"cap_hours": "1"}, "cap_hours", "There is no field 'cap_hours' here"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "field", "sentence"), WRONG, ids=[f"{one[1]} {one[0]}" for one in WRONG])
def test_what_is_wrong_is_said_in_a_sentence(given, field, sentence):
    policy, (fault,) = read_values(given)
    assert fault.field == field and fault.sentence.startswith(sentence) and policy == Policy()


RULE = """
rules:
  - key: code
    category: {0}
    ignore_quiet_hours: {1}
    triggers: [asked]
    actions: [{{action: twilio.send_message, to: "+15005550006", body: Hi}}]
"""


def read(text: str) -> tuple[Document, list[str]]:
    document, faults = read_document(text, "rules.yaml", load(), {})
    return document, [f"{fault.line}: {fault.sentence}" for fault in faults]


def test_the_policy_stands_in_the_rules_file_and_reads_back():
    document, faults = read("policy:\n  quiet_from: 22:00\n  quiet_categories: []\n  cap_messages: 2\n")
    assert not faults
    assert document.policy == Policy(quiet_from="22:00", quiet_categories=(), cap_messages=2)
    assert read(write_document(document)) == (
        Document(policy=document.policy, lines=read(write_document(document))[0].lines),
        [],
    )
    assert read("rules: []")[0].policy is None, "nothing is said about it"
    assert read("policy: {}")[0].policy == Policy()


def test_faults_of_the_policy_have_their_line():
    text = "policy:\n  quiet_from: late\n  quiet_to: 25:00\n  zone: UTC\n  cap_messages: ${env:CAP}\n"
    faults = read(text)[1]
    assert [fault.partition(":")[0] for fault in faults] == ["2", "3", "4", "5", "5"]
    assert faults[0] == "2: Quiet from is a time of day such as 21:00."
    assert read("policy:\n")[1] == ["1: There is nothing under policy; write its fields, or leave the section out."]
    assert read("policy: [a]")[1] == ["1: This must be a map of names to values."]
    assert read("polcy: {}")[1] == ["1: There is no section 'polcy'; did you mean 'policy'?"]


def test_a_transactional_rule_may_ignore_the_quiet_hours_and_says_so_when_it_is_written_again():
    document, faults = read(RULE.format("transactional", "yes"))
    assert not faults and document.rules[0].ignore_quiet_hours
    assert read(write_document(document))[0].rules == document.rules
    document, faults = read(RULE.format("promotional", "no"))
    assert not faults and not document.rules[0].ignore_quiet_hours
    assert "ignore_quiet_hours" not in write_document(document)


def test_a_promotional_rule_may_not():
    (fault,) = read(RULE.format("promotional", "true"))[1]
    assert fault.startswith("5: Only a transactional rule may ignore the quiet hours")
    assert read(RULE.format("transactional", "perhaps"))[1] == [
        "5: ignore_quiet_hours must be true or false, not 'perhaps'."
    ]

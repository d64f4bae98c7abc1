"""Joining: what an anonymous id did becomes the user's, whole; nobody whom the app has named is joined to another."""

import pytest

from inside import RULE, SDK_KEYS, TWILIO
from oncue.core import clock
from oncue.core.adaptor import Reply
from oncue.core.items import ConsentItem, EventItem, JoinItem, Key, Source, UserItem
from oncue.store.jobs import Intake, Probe, Reports
from oncue.store.user_edits import ChangeProperties, SayConsent

KEY = Key(id="k", name="site", source=Source.SEGMENT)
PHONE = "+15005551001"


@pytest.fixture
def site(inside):
    """An oncue with one rule."""
    inside.apply(SDK_KEYS + TWILIO + "rules:" + RULE)
    inside.do(Probe())
    return inside


def event(user, name="looked", *, anonymous=True, **more):
    return EventItem(user=user, name=name, properties={}, timestamp=clock.now(), anonymous=anonymous, **more)


def about(user, *, anonymous=True, **properties):
    return UserItem(user=user, properties=properties, anonymous=anonymous)


def join(alias, user):
    return JoinItem(alias=alias, user=user)


def says(user, state, category="promotional", at=0):
    return ConsentItem(user=user, category=category, state=state, source="a form", timestamp=at or clock.now())


def reply(body):
    sender = "+15005550006"
    return Reply(provider_id="SMin", address=PHONE, sender=sender, scopes=(sender,), body=body, properties={})


def take(inside, *items):
    """All in one call; the sentences of those that were refused."""
    return [one.error for one in inside.do(Intake(KEY, items)) if one.error]


def whose(inside, table):
    return [user for (user,) in inside.rows(f"SELECT user_id FROM {table} ORDER BY rowid")]


def one_by_one(inside, *items):
    return [error for item in items for error in take(inside, item)]


@pytest.mark.parametrize("taking", [take, one_by_one])
def test_history_messages_replies_and_properties_become_the_users(site, taking):
    assert not taking(
        site,
        about("v", phone_number=PHONE, plan="free"),
        event("v", "booked"),
        about("ann", anonymous=False, plan="gold"),
    )
    site.submit_claimed()
    site.do(Reports("twilio", [reply("Thanks")]))
    assert set(whose(site, "store_event")) == {"v"}
    assert not taking(site, join("v", "ann"), event("v", "after"))
    for table in ("store_event", "store_message", "store_reply", "store_conversation"):
        assert set(whose(site, table)) == {"ann"}, table
    assert site.user("ann") == {"phone_number": PHONE, "plan": "gold"}
    assert site.rows("SELECT id, anonymous FROM store_user") == [("ann", 0)]
    assert site.rows("SELECT id, user_id FROM store_alias") == [("v", "ann")]


def test_what_waits_to_be_considered_is_considered_as_theirs_before(site):
    """A rule sees the visitor as they were, though the join follows in the same transaction."""
    assert not take(
        site,
        about("v", phone_number=PHONE),
        event("v", "booked"),
        join("v", "ann"),
        event("ann", "booked", anonymous=False),
    )
    assert [state for _, state, _ in site.messages()] == ["submitting", "submitting"]
    assert whose(site, "store_message") == ["ann", "ann"]


def test_a_status_of_a_message_of_before_is_an_event_of_the_user(site):
    take(site, about("v", phone_number=PHONE), event("v", "booked"))
    take(site, join("v", "ann"))
    site.submit_claimed()
    assert site.events("ann")[-1] == "twilio.queued" and site.events("v") == []


@pytest.mark.parametrize(
    ("theirs", "own", "kept"),
    [
        ("opted_out", None, "opted_out"),
        ("opted_in", None, "opted_in"),
        ("opted_out", "opted_in", "opted_out"),
        ("opted_in", "opted_out", "opted_out"),
    ],
)
@pytest.mark.parametrize("taking", [take, one_by_one])
def test_a_no_outweighs_a_yes(site, taking, theirs, own, kept):
    said = [about("v", consent_promotional=theirs == "opted_in"), *([says("ann", own)] if own else [])]
    assert not taking(site, *said, join("v", "ann"))
    assert site.rows("SELECT user_id, state FROM store_consent") == [("ann", kept)]


def test_a_user_whom_the_app_has_named_stays_a_user_of_its_own(site):
    assert not take(site, about("bob", anonymous=False, a=1), about("v", b=2))
    (error,) = take(site, join("bob", "ann"))
    assert error == "bob is a user whom your app has named, so it stays a user of its own."
    assert not take(site, about("v", anonymous=False, c=3))  # named later
    assert take(site, join("v", "ann"))
    assert site.user("bob") == {"a": 1} and site.user("v") == {"b": 2, "c": 3}


def test_who_was_joined_to_is_named(site):
    assert not take(site, join("v", "ann"))
    assert take(site, join("ann", "bob"))


@pytest.mark.parametrize("taking", [take, one_by_one])
def test_a_device_that_changes_hands_keeps_its_past(site, taking):
    assert not taking(
        site, event("v", "one"), join("v", "ann"), event("v", "two"), join("v", "bob"), event("v", "three")
    )
    assert site.rows("SELECT user_id, name FROM store_event ORDER BY seq") == [
        ("ann", "one"),
        ("ann", "two"),
        ("bob", "three"),
    ]


def test_joined_again_changes_nothing(site):
    take(site, join("v", "ann"), join("w", "ann"))
    before = site.rows("SELECT id, user_id, at FROM store_alias ORDER BY id")
    assert [(alias, user) for alias, user, _ in before] == [("v", "ann"), ("w", "ann")]
    assert not take(site, join("v", "ann"), join("w", "ann"), join("ann", "ann"))
    assert site.rows("SELECT id, user_id, at FROM store_alias ORDER BY id") == before


def test_an_anonymous_repeat_is_known_after_the_join(site):
    item = event("v", "booked", id="1")
    take(site, item)
    take(site, join("v", "ann"), item)
    assert site.events() == ["booked", "message.suppressed"]


def test_a_property_given_by_a_device_reaches_its_user(site):
    take(site, join("v", "ann"), about("v", a=1))
    take(site, event("v", user_properties={"b": 2}))
    assert site.user("ann") == {"a": 1, "b": 2} and site.rows("SELECT COUNT(*) FROM store_user") == [(1,)]


def test_a_person_is_reached_by_one_owner_of_the_number_after_the_join(site):
    """A stranger's reply in the same transaction: two users had the number, now it is one's."""
    take(site, about("v", phone_number=PHONE), about("ann", anonymous=False, phone_number=PHONE))
    site.gather([site.writer.do(Intake(KEY, [join("v", "ann")])), site.writer.do(Reports("twilio", [reply("Hello")]))])
    assert whose(site, "store_reply") == ["ann"]


def test_an_id_that_is_said_to_be_a_users_own_is_that_whatever_anybody_made_of_it(site):
    """A key of SDKs is public: who claims an id before its user comes gets nothing of theirs."""
    take(site, join("bob", "mallory"))
    site.event("bob", "booked", user_properties={"phone_number": PHONE})
    site.take({"type": "consent", "user": "bob", "category": "promotional", "state": "opted_in"})
    assert site.events("mallory") == [] and site.events("bob")[0] == "booked"
    assert [user for (user,) in site.rows("SELECT user_id FROM store_message")] == ["bob"]
    assert take(site, event("bob", "of the device")) == [] and site.events("mallory") == ["of the device"]


@pytest.mark.parametrize(
    "known",
    [
        [event("bob", anonymous=False)],
        [about("bob", anonymous=False, a=1)],
        [says("bob", "opted_out")],
        [event("bob", "oncue.opted_out", anonymous=False)],
    ],
    ids=["event", "properties", "consent", "opt-out"],
)
@pytest.mark.parametrize("taking", [take, one_by_one])
def test_whoever_was_heard_of_by_their_own_id_is_nobodys_alias(site, taking, known):
    assert taking(site, *known, join("bob", "mallory")) == [NAMED]
    assert site.rows("SELECT COUNT(*) FROM store_alias") == [(0,)]
    assert set(whose(site, "store_event")) <= {"bob"} and set(whose(site, "store_consent")) <= {"bob"}


NAMED = "bob is a user whom your app has named, so it stays a user of its own."


def test_a_rule_that_changes_a_visitor_does_not_name_them(site):
    rule = """
  - {key: note, state: "on", triggers: [looked], actions: [{action: user.update, properties: {seen: "yes"}}]}
"""
    site.apply(SDK_KEYS + "rules:" + rule)
    assert take(site, event("v")) == [] and site.user("v") == {"seen": "yes"}
    assert take(site, join("v", "ann")) == [] and site.user("ann") == {"seen": "yes"}


def test_ids_of_one_family_are_not_joined_by_another(site):
    phone = Key(id="p", name="phone", source=Source.SWRVE, app=1)
    site.do(Intake(phone, [join("d", "ann")]))
    (error,) = take(site, join("d", "mallory"))
    assert error == "d is an id of swrve 1, and stays whose it is there."
    take(site, event("d", "of another device by that id"))
    assert site.events("ann") == [] and site.events("d") == ["of another device by that id"]


def test_a_repeat_does_not_give_a_device_back(site):
    first = JoinItem(alias="v", user="ann", id="1")
    take(site, first, JoinItem(alias="v", user="bob", id="2"))
    take(site, first, event("v"))
    assert site.events("bob") == ["looked"]


def test_what_was_said_before_an_opt_out_does_not_lift_it(site):
    take(site, says("ann", "opted_out"))
    late = UserItem(user="ann", properties={"consent_promotional": True}, timestamp=clock.now() - clock.DAY)
    take(site, late)
    assert site.rows("SELECT state FROM store_consent") == [("opted_out",)]


@pytest.mark.parametrize("said", ["Promotional", " PROMOTIONAL ", "newsletter", ["promotional"], None])
def test_who_opts_out_of_what_there_is_not_is_opted_out(site, said):
    item = EventItem(user="ann", name="oncue.opted_out", properties={"category": said}, timestamp=clock.now())
    take(site, item)
    assert ("promotional", "opted_out") in site.rows("SELECT category, state FROM store_consent")


def test_a_join_that_opts_out_says_so(site):
    take(
        site,
        about("ann", anonymous=False, consent_promotional=True),
        about("v", consent_promotional=False),
        join("v", "ann"),
    )
    assert site.user("ann")["consent_promotional"] is False
    assert site.events("ann")[-1] == "oncue.opted_out"


def test_members_mean_the_user_whose_anonymous_id_they_give(site):
    take(site, join("v", "ann"), says("ann", "opted_in"))
    site.do(ChangeProperties(by="m", user="v", properties={"a": 1}))
    said = SayConsent(by="m", user="v", category="promotional", state="opted_out", reason="by phone")
    assert site.do(said) is True
    assert site.user("ann") == {"a": 1} and site.rows("SELECT user_id, state FROM store_consent") == [
        ("ann", "opted_out")
    ]


def test_who_takes_over_a_device_is_named(site):
    take(site, join("v", "ann"), join("v", "bob"))
    assert take(site, join("bob", "carl")) == [NAMED]


def test_an_id_of_ones_own_beside_the_same_of_a_device_is_ones_own(site):
    """Though the alias is at hand in the same transaction."""
    take(site, join("bob", "mallory"))
    take(site, event("bob", "of the device"), event("bob", "of bob", anonymous=False))
    assert (site.events("mallory"), site.events("bob")) == (["of the device"], ["of bob"])


def test_who_was_a_visitor_and_is_then_joined_to_is_named(site):
    take(site, event("w"))
    assert take(site, join("v", "w")) == []
    assert site.rows("SELECT id, anonymous FROM store_user") == [("w", 0)]
    assert take(site, join("w", "carl"))

"""Users: found however they are looked for, seen with all that happened to them, changed by hand or from a file."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from booking import open_for_bookings
from playwright.sync_api import Page, expect

from browsing import ANN, faultless, shoot, sign_in

PERSON = {"first_name": "Ann", "last_name": "Lee", "phone_number": ANN, "email": "ann@example.com", "country": "IE"}
EMPTY = [("/users", "No users yet", "Import a file")]
pytestmark = pytest.mark.usefixtures("seen_empty")


@pytest.fixture(scope="module")
def bookings(site, carrier, seen_empty):
    open_for_bookings(site, carrier)
    site.post(
        {"type": "user", "user": "ann", "properties": PERSON},
        {"type": "user", "user": "bob/7", "properties": {"first_name": "Bob", "phone_number": "+353861234567"}},
        {"type": "user", "user": "cleo", "properties": {"email": "cleo@example.com", "plan": "pro"}},
    )
    return site


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("an", "ann"),
        ("+1 (500) 555-1001", "ann"),
        ("500.555.1001", "ann"),
        ("353 86 123 4567", "bob/7"),
        ("cleo@exam", "cleo"),
        ("Lee", "ann"),
    ],
)
def test_a_person_is_found_however_they_are_looked_for(owner: Page, bookings, wanted: str, found: str):
    owner.goto("/users")
    owner.get_by_label("Search").fill(wanted)
    owner.get_by_role("button", name="Search").click()
    rows = owner.locator("tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").click()
    expect(owner).to_have_url(re.compile(f"/users/{found.replace('/', '%2F')}$"))
    expect(owner.get_by_role("region", name="Properties")).to_be_visible()


def test_nobody_found_says_how_to_look(owner: Page, bookings):
    owner.goto("/users?search=nobody")
    expect(owner.get_by_role("heading", name="Nobody is found")).to_be_visible()
    faultless(owner)
    owner.get_by_role("link", name="Show all").click()
    expect(owner.locator("tbody tr")).not_to_have_count(0)


def test_a_changed_property_changes_what_a_rule_sees(owner: Page, bookings):
    event = bookings.event("ann", "booking_confirmed", {"booking_id": "P1", "amount": 50})
    owner.goto(f"/events/{event}")
    expect(owner.get_by_role("region", name="What rules decided")).to_contain_text(
        'user.country == "US" does not hold (saw IE)'
    )
    owner.goto("/users/ann")
    owner.get_by_role("link", name="Change country").click()
    owner.get_by_label("Value").fill("US")
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator("#said")).to_have_text("The property country is saved.")
    event = bookings.event("ann", "booking_confirmed", {"booking_id": "P2", "amount": 50})
    expect(owner.locator("#timeline li").filter(has_text="delivered").first).to_be_visible()  # live
    faultless(owner)
    shoot(owner, "one")
    owner.goto(f"/events/{event}")
    expect(owner.get_by_role("region", name="What rules decided")).to_contain_text("Booking confirmation acted")
    (entry,) = bookings.query(
        "SELECT by, before, after FROM store_audit WHERE kind = 'user' AND after LIKE '%country%'"
    )
    assert entry == ("owner@example.com", '{"country":"IE"}', '{"country":"US"}')


def test_a_property_keeps_its_type_and_a_wrong_value_is_refused_in_place(owner: Page, bookings):
    owner.goto("/users/cleo")
    owner.get_by_role("region", name="Properties").get_by_role("link", name="Add").click()
    expect(owner.get_by_label("Name")).to_be_focused()
    owner.get_by_label("Name").fill("visits")
    owner.get_by_label("Type").select_option("Number")
    owner.get_by_label("Value").fill("seven")
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator(".fault")).to_contain_text("seven is not a number")
    expect(owner.get_by_label("Name")).to_have_value("visits")
    faultless(owner)
    shoot(owner, "one-faulty")
    owner.get_by_label("Value").fill("7")
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_role("link", name="Change visits")).to_be_visible()
    ((kept,),) = bookings.query("SELECT properties FROM store_user WHERE id = 'cleo'")
    assert '"visits":7' in kept
    owner.get_by_role("link", name="Change visits").click()
    expect(owner.get_by_label("Type")).to_have_value("number")
    owner.get_by_role("button", name="Remove").click()
    owner.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(owner.locator("#said")).to_have_text("The property visits is removed.")
    expect(owner.get_by_role("link", name="Change visits")).to_have_count(0)


def test_consent_is_changed_for_a_reason_and_says_who(owner: Page, bookings):
    owner.goto("/users/cleo")
    consent = owner.get_by_role("region", name="Consent and opt-outs")
    expect(consent).to_contain_text("No rule of this category messages them until they opt in.")
    consent.get_by_text("Change").last.click()
    consent.get_by_label("opted in").last.check()
    consent.get_by_role("button", name="Record it").last.click()
    owner.get_by_role("button", name="They said so").click()
    expect(consent.locator(".fault")).to_have_text("Say how they said it; the reason is kept.")
    expect(consent.get_by_label("opted in").last).to_be_checked()
    consent.get_by_label("How they said it").last.fill("on the phone")
    consent.get_by_role("button", name="Record it").last.click()
    owner.get_by_role("button", name="They said so").click()
    expect(owner.locator("#said")).to_have_text("It is recorded that they opted in to promotional messages.")
    expect(consent).to_contain_text("on the phone (owner@example.com)")
    expect(owner.locator("#timeline")).to_contain_text("oncue.opted_in")
    faultless(owner)
    # As a property, too.
    owner.get_by_role("region", name="Properties").get_by_role("link", name="Add").click()
    owner.get_by_label("Name").fill("consent_promotional")
    owner.get_by_label("Type").select_option("Yes or no")
    owner.get_by_label("Value").fill("false")
    owner.get_by_role("button", name="Save").click()
    expect(consent).to_contain_text("property consent_promotional (owner@example.com)")


def test_a_test_user_is_one_for_rules_in_test(owner: Page, bookings):
    owner.goto("/users/cleo")
    owner.get_by_role("button", name="Make a test user").click()
    expect(owner.get_by_role("region", name="Test user")).to_contain_text("Rules in test act for this user.")
    owner.get_by_role("button", name="No longer a test user").click()
    expect(owner.get_by_role("region", name="Test user")).to_contain_text("Rules in test leave this user alone.")


def test_the_timeline_is_paged_without_a_gap(owner: Page, bookings):
    for start in range(0, 70, 35):
        bookings.post(*({"type": "event", "user": "dan", "name": f"step_{one}"} for one in range(start, start + 35)))
    owner.goto("/users/dan")
    expect(owner.get_by_role("region", name="Properties")).to_contain_text("oncue knows none")
    seen: list[str] = []
    for _ in range(3):
        seen += owner.locator("#timeline li a").all_inner_texts()
        if owner.get_by_role("link", name="Older").count():
            owner.get_by_role("link", name="Older").click()
            expect(owner.get_by_role("link", name="Newest")).to_be_visible()
    assert seen == [f"step_{one}" for one in reversed(range(70))]
    owner.goto("/users/nobody-at-all")
    expect(owner.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_a_stop_stands_on_the_persons_page(owner: Page, bookings, carrier):
    phone = "+15005551077"
    bookings.event(
        "eve",
        "booking_confirmed",
        {"booking_id": "S1", "amount": 50},
        user_properties={"phone_number": phone, "country": "US"},
    )
    bookings.wait_for_messages(1, "user_id = 'eve' AND carrier_status = 'delivered'")
    carrier.text(phone, "STOP")
    owner.goto("/users/eve")
    expect(owner.locator("#timeline")).to_contain_text("twilio.black_listed_error")
    owner.reload()
    consent = owner.get_by_role("region", name="Consent and opt-outs")
    expect(consent).to_contain_text("messages from +15005550006: opted out")
    expect(owner.get_by_role("link", name="Conversation")).to_have_attribute("href", "/replies?address=%2B15005551077")
    consent.get_by_role("link", name="Lift").click()
    expect(owner.get_by_role("heading", name="Lift an opt-out")).to_be_visible()


def test_a_file_is_looked_at_and_then_taken_in_and_opts_nobody_in_again(owner: Page, bookings, tmp_path):
    bookings.post(
        {"type": "consent", "user": "gone", "category": "promotional", "state": "opted_out", "source": "letter"}
    )
    file = tmp_path / "people.csv"
    file.write_text(
        "user,first_name,consent_promotional,vip\n"
        "gone,Gil,true,false\n"
        "fay,=HYPERLINK(1),true,true\n"
        ",nobody,,\n"
        "hal,<script>alert(1)</script>,,\n"
        "too,few\n"
    )
    owner.goto("/users-import")
    owner.get_by_label("File").set_input_files(file)
    look = owner.get_by_role("region", name="people.csv")
    expect(look).to_contain_text("3 users can be imported; 2 lines cannot, and would be left out.")
    expect(look.locator(".faults li")).to_have_text([
        "Line 4: the cell `user` must hold an id of 1 to 200 characters.",
        "Line 6: this line does not have as many cells as the first one.",
    ])  # fmt: skip
    expect(look).to_contain_text("<script>alert(1)</script>")
    assert not bookings.query("SELECT 1 FROM store_user WHERE id = 'fay'"), "looking takes nothing in"
    faultless(owner)
    shoot(owner, "import")
    owner.get_by_role("button", name="Import 3 users").click()
    expect(owner.locator("#said")).to_have_text("3 users imported. 1 opt-in left out, since the person had opted out.")
    consents = dict(bookings.query("SELECT user_id, state FROM store_consent WHERE category = 'promotional'"))
    assert (consents["gone"], consents["fay"]) == ("opted_out", "opted_in")
    ((kept,),) = bookings.query("SELECT properties FROM store_user WHERE id = 'fay'")
    assert '"vip":true' in kept
    assert not bookings.query(
        "SELECT 1 FROM store_decision JOIN store_event ON store_event.id = event WHERE user_id = 'fay'"
    )


def test_another_file_than_the_one_looked_at_is_refused(owner: Page, bookings, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("user\nivy\n")
    second.write_text("user\njon\n")
    owner.goto("/users-import")
    owner.get_by_role("button", name="Look at the file").click()
    expect(owner.get_by_role("alert")).to_have_text("Choose a file.")
    owner.get_by_label("File").set_input_files(first)
    expect(owner.get_by_role("region", name="first.csv")).to_be_visible()
    digest = owner.locator("[name=digest]").get_attribute("value")
    owner.get_by_label("File").set_input_files(second)
    expect(owner.get_by_role("region", name="second.csv")).to_be_visible()
    owner.locator("[name=digest]").evaluate("(field, value) => { field.value = value }", digest)
    owner.get_by_role("button", name="Import 1 user").click()
    expect(owner.get_by_role("alert")).to_contain_text("This is not the file that you looked at")
    assert not bookings.query("SELECT 1 FROM store_user WHERE id IN ('ivy', 'jon')")
    binary = tmp_path / "photo.csv"
    binary.write_bytes(b"\xff\xd8\xff\xe0")
    owner.get_by_label("File").set_input_files(binary)
    expect(owner.get_by_role("alert").last).to_contain_text("photo.csv is not a CSV file in UTF-8")


def test_whatever_an_app_calls_its_users_is_shown_as_text(owner: Page, bookings):
    user = "<svg onload=alert(1)>/../'\"?#&\u202e" + "w" * 100 + "\n🎉"
    hostile = {
        "first_name": "<b>Zed</b>" + "z" * 150,
        "<img src=x onerror=alert(1)>": "'\"><script>alert(1)</script>",
        "bio": "שלום " * 60,
        "list": [1, {"a": None}],
    }
    bookings.post({"type": "user", "user": user, "properties": hostile})
    bookings.event(user, "page_viewed", hostile)
    owner.on("dialog", lambda dialog: pytest.fail("a script ran"))
    owner.goto("/users")
    expect(owner.locator("tbody tr").first).to_contain_text("<svg onload=alert(1)>")
    for name in ("users", "one-hostile"):
        for width in (390, 1280):
            owner.set_viewport_size({"width": width, "height": 900})
            assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        faultless(owner)
        shoot(owner, name)
        if name == "users":
            owner.locator("tbody tr").first.get_by_role("link").click()
            expect(owner.get_by_role("heading", level=1)).to_contain_text("<b>Zed</b>")
    owner.get_by_role("link", name="Change <img src=x onerror=alert(1)>").click()
    owner.get_by_label("Value").fill("mended")
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_role("region", name="Properties")).to_contain_text("mended")


def test_everything_about_a_user_is_downloaded_and_then_forgotten_by_an_owner_who_types_their_id(owner: Page, bookings):
    bookings.event("ida", "booking_confirmed", {"booking_id": "I1", "amount": 50}, user_properties={"phone_number": "+15005551088", "country": "US", "first_name": "Ida-canary"})  # fmt: skip
    bookings.wait_for_messages(1, "user_id = 'ida' AND carrier_status = 'delivered'")
    owner.goto("/users/ida")
    data = owner.get_by_role("region", name="Their data")
    with owner.expect_download() as download:
        data.get_by_role("link", name="Export everything").click()
    assert download.value.suggested_filename == "user-ida.json"
    kept = json.loads(download.value.path().read_text())
    assert kept == json.loads(bookings.run("users", "export", "ida").stdout) and kept["user"]["id"] == "ida"
    data.get_by_role("link", name="Forget this user…").click()
    expect(owner.get_by_role("heading", name="Forget a user")).to_be_visible()
    expect(owner.locator(".facts")).to_contain_text("messages1")
    faultless(owner)
    shoot(owner, "forget")
    owner.get_by_role("button", name="Forget this user").click()
    expect(owner.get_by_role("alert")).to_have_text("Type the user's id.")
    expect(owner.get_by_label("Type the user’s id to confirm")).to_be_focused()
    owner.get_by_label("Type the user’s id to confirm").fill("eda")
    owner.get_by_label("Type the user’s id to confirm").press("Enter")
    expect(owner.get_by_role("alert")).to_contain_text("This is not the user's id")
    faultless(owner)
    shoot(owner, "forget-faulty")
    assert bookings.query("SELECT 1 FROM store_user WHERE id = 'ida'")
    owner.get_by_label("Type the user’s id to confirm").fill(" ida ")
    owner.get_by_role("button", name="Forget this user").click()
    expect(owner.locator("#said")).to_have_text("The user is forgotten.")
    assert "ida" not in owner.url
    for table in ("event", "message", "consent", "user"):
        column = "id" if table == "user" else "user_id"
        assert not bookings.query(f"SELECT 1 FROM store_{table} WHERE {column} = 'ida'"), table
    ((by, name, said),) = bookings.query(
        "SELECT by, name, before || after || note FROM store_audit WHERE verb = 'erased'"
    )
    assert (by, name) == ("owner@example.com", "forgotten user") and "1 messages" in said
    assert "ida" not in said and "canary" not in said
    owner.goto("/users/ida")
    expect(owner.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_only_an_owner_forgets(page: Page, bookings):
    sign_in(page, "editor@example.com")
    page.goto("/users/cleo")
    data = page.get_by_role("region", name="Their data")
    expect(data.get_by_role("link", name="Export everything")).to_be_visible()
    expect(data.get_by_role("link", name="Forget")).to_have_count(0)
    shoot(page, "one-data")
    page.goto("/users-forget?user=cleo")
    expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()


def test_a_user_of_any_id_can_be_forgotten(owner: Page, bookings):
    user = "<b>/../'\"?#&\u202e x\n🎉" + "w" * 60
    bookings.post({"type": "user", "user": user, "properties": {"first_name": "Zadok"}})
    owner.on("dialog", lambda dialog: pytest.fail("a script ran"))
    owner.goto(f"/users-forget?{urlencode({'user': user})}")
    for width in (390, 1280):
        owner.set_viewport_size({"width": width, "height": 900})
        assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    faultless(owner)
    shoot(owner, "forget-hostile")
    with owner.expect_download() as download:
        owner.get_by_role("link", name="everything as a file").click()
    assert re.fullmatch(r"user-[\w-]+\.json", download.value.suggested_filename, re.ASCII)
    owner.get_by_label("Type the user’s id to confirm").fill(user.replace("\n", " "))
    owner.get_by_role("button", name="Forget this user").click()
    expect(owner.locator("#said")).to_have_text("The user is forgotten.")
    assert not bookings.query("SELECT 1 FROM store_user WHERE properties LIKE '%Zadok%'")


def test_a_viewer_changes_nothing(page: Page, bookings):
    sign_in(page, "viewer@example.com")
    page.goto("/users/ann?edit=country")
    expect(page.get_by_role("region", name="Properties")).to_contain_text("country")
    main = page.locator("#main")
    expect(main.locator("form")).to_have_count(0)
    expect(main.get_by_role("link", name="Change country")).to_have_count(0)
    status = page.evaluate(
        "fetch('/users/ann', {method: 'POST', headers: JSON.parse(document.body.getAttribute('hx-headers')), body: new URLSearchParams({act: 'remove', name: 'country'})}).then(a => a.status)"
    )
    assert status == 403
    page.goto("/users-import")
    expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()

"""The command line: every verb, as a person and as a program would use it."""

import os
import subprocess
import sys

import msgspec
import pytest

from fault_hooks import PLAIN
from house import ANN, RULES, ann
from oncue import __version__
from oncue.simulator.spawn import Simulator
from oncue.testing import wait_for

FAULTY = """
rules:
  - key: Booking
    triggers: []
    colour: blue
    actions:
      - action: twilio.send_mesage
        body: hello
  - key: other
    triggers: [x]
    conditions: ["event.amount >< 3"]
    actions:
      - {action: twilio.send_message, to: "{{ user.phone_number }}", body: "{{ user.name | shout }}"}
"""


def test_apply_says_every_fault_with_its_line_and_a_remedy_and_changes_nothing(start):
    oncue = start()
    path = oncue.folder / "faulty.yaml"
    path.write_text(FAULTY)
    done = oncue.run("apply", str(path), "--no-check")
    assert done.returncode == 1 and done.stdout == ""
    for line, words in (
        (3, "key"), (4, "at least one trigger"), (5, "colour"), (7, "twilio.send_message"),  # and the nearest name is named
        (11, "event.amount >< 3"), (13, "shout"),
    ):  # fmt: skip
        assert any(f"faulty.yaml:{line}: " in said and words in said for said in done.stderr.splitlines()), (line, done.stderr)  # fmt: skip
    assert [rule for (rule,) in oncue.query("SELECT key FROM store_rule WHERE archived_at IS NULL ORDER BY key")] == ["booking-confirmation", "booking-email"]  # fmt: skip


def test_plan_export_and_apply_agree(start):
    oncue = start()
    out = oncue.folder / "out.yaml"
    assert oncue.run("export", "-o", str(out)).returncode == 0
    text = out.read_text()
    assert "booking-confirmation" in text and oncue.environ["TWILIO_AUTH_TOKEN"] not in text
    out.write_text(text.replace("Booking confirmation", "Confirmation", 1))
    planned = oncue.run("plan", str(out))
    assert planned.returncode == 0 and "changed: rule booking-confirmation" in planned.stdout, planned.stderr
    assert oncue.query("SELECT MAX(revision) FROM store_rule") == [(1,)], "plan changes nothing"
    out.write_text(text)
    again = oncue.run("apply", str(out), "--no-check")
    assert again.returncode == 0 and "Nothing" in again.stdout + again.stderr, again.stdout + again.stderr


def test_test_says_what_would_happen_and_stores_nothing(start, carrier):
    oncue = start()
    path = str(oncue.folder / "rules.yaml")
    (oncue.folder / "rules.yaml").write_text(RULES)
    event = '{"name": "booking_confirmed", "properties": {"booking_id": "B1"}}'
    who = msgspec.json.encode(ann()).decode()
    done = oncue.run("test", path, "--user", "ann", "--user-properties", who, "--event", event)
    assert done.returncode == 0, done.stderr
    for words in ("would act", "Hi Ann, booking B1 is confirmed.", ANN):
        assert words in done.stdout
    without = oncue.run("test", path, "--user", "bob", "--event", event)
    assert "phone_number" in without.stdout and "no default" in without.stdout
    assert oncue.query("SELECT COUNT(*) FROM store_event") == [(0,)]
    assert carrier.state(counts=True)["requests"] == 0


def test_activating_says_whose_replies_go_elsewhere_and_offers_to_point_them_here(start, carrier, _carrier: Simulator):
    oncue = start()
    _carrier.reset()  # nothing points here yet
    (oncue.folder / "rules.yaml").write_text(RULES.replace("messages_per_second: 0", "messages_per_second: 5"))
    said = oncue.run("apply", str(oncue.folder / "rules.yaml"))
    assert said.returncode == 0
    assert "go to nowhere" in said.stderr and "--set-inbound twilio" in said.stderr
    pointed = oncue.run("check", "--set-inbound", "twilio")
    assert f"now go to {oncue.url}/hooks/twilio/message" in pointed.stdout.replace("\n", " ")
    assert "go to nowhere" not in oncue.run("check").stdout


def test_people_come_from_a_csv_file_and_bad_rows_are_told_by_line(start):
    oncue = start()
    people = oncue.folder / "people.csv"
    people.write_text(f"user,first_name,phone_number,test_user\nann,Ann,{ANN},true\nbob,Bob,,false\n,Nobody,,\n")
    done = oncue.run("users", "import", str(people))
    assert "4" in done.stdout + done.stderr, "the line of the row without a user"
    people.write_text(f"user,first_name,phone_number,test_user\nann,Ann,{ANN},true\nbob,Bob,,false\n")
    assert oncue.run("users", "import", str(people)).returncode == 0
    assert {one["id"] for one in oncue.json("users", "list")} == {"ann", "bob"}
    shown = oncue.json("users", "show", "ann")["properties"]
    assert shown["phone_number"] == ANN and shown["test_user"] is True


def test_keys_and_members_are_shown_once(start):
    oncue = start()
    key = oncue.json("key", "create", "till")["key"]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    wait_for(lambda: oncue.call("POST", "/v1/events", b'{"user": "u", "name": "x"}', headers)[0] == 202, 5)
    assert {one["name"] for one in oncue.json("key", "list")} == {"shop", "till"}
    assert oncue.run("key", "create", "till").returncode == 1
    first = oncue.json("member", "create", "ann@example.com")
    assert first["password"] not in str(oncue.query("SELECT * FROM store_member"))
    assert oncue.json("member", "reset", "ann@example.com")["password"] != first["password"]
    assert oncue.run("member", "create", "ann@example.com").returncode == 1


def test_listings_and_explain(start, carrier):
    oncue = start()
    event = oncue.event("ann", "booking_confirmed", {"booking_id": "B1"}, user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    (message,) = oncue.json("messages", "--user", "ann", "--state", "accepted")
    assert oncue.json("messages", "--rule", "nothing") == []
    assert [one["name"] for one in oncue.json("events", "--user", "ann", "--name", "twilio.delivered")] == ["twilio.delivered"]  # fmt: skip
    for one in (event, message["id"], message["id"][:18], message["provider_id"]):
        assert "Hi Ann, booking B1 is confirmed." in oncue.run("explain", one).stdout, one
    nothing = oncue.run("explain", "0" * 32)
    assert nothing.returncode == 1 and len(nothing.stderr.splitlines()) == 1
    oncue.environ.pop("COLUMNS", None)
    assert "delivered" in oncue.run("messages").stdout, "a program gets everything"
    oncue.environ["COLUMNS"] = "80"
    for listing in (["messages"], ["events"], ["users", "list"], ["opt-outs"]):
        assert max(map(len, oncue.run(*listing).stdout.splitlines())) <= 80
    assert "ann" in oncue.run("users", "list").stdout
    assert {one["level"] for one in oncue.json("check", "--no-network")} <= {"ok", "note"}


def test_ids_of_one_batch_are_told_apart_in_the_narrowest_terminal_and_programs_get_all_of_them(start):
    oncue = start()
    events = [
        {"type": "event", "user": f"user{n}", "name": "booking_confirmed", "properties": {"n": n}} for n in range(3)
    ]
    ids = oncue.post(*events)["ids"]
    assert len({one[12:22] for one in ids}) == 1, "they are alike but for the time and the count"
    for columns in ("60", "80", "200", ""):
        oncue.environ["COLUMNS"] = columns
        if not columns:
            del oncue.environ["COLUMNS"]
        said = oncue.run("events", "--name", "booking_confirmed").stdout
        assert all(one in said for one in ids), (columns, said)
    assert "Nothing matches." in oncue.run("events", "--name", "nothing").stdout
    assert "Nothing matches." in oncue.run("messages", "--state", "rejected").stdout
    assert "Nothing matches." in oncue.run("opt-outs", "--address", ANN).stdout
    assert "Nobody has opted out." in oncue.run("opt-outs").stdout


def test_faults_name_a_field_as_the_file_does(start):
    oncue = start()
    (oncue.folder / "faulty.yaml").write_text(FAULTY.replace("twilio.send_mesage", "twilio.send_message"))
    said = oncue.run("plan", str(oncue.folder / "faulty.yaml")).stderr
    assert "faulty.yaml:7: to: Message Recipient Phone Number is required." in said


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "words"),
    [
        (["apply"], {}, 2, "FILE"),
        (["frobnicate"], {}, 2, "frobnicate"),
        (["apply", "nowhere.yaml"], {}, 2, "nowhere.yaml"),
        (["messages"], {"ONCUE_PUBLIC_ULR": "https://x.example"}, 1, "There is no setting ONCUE_PUBLIC_ULR"),
        (["messages"], {"ONCUE_PORT": "eighty"}, 1, "ONCUE_PORT"),
        (["check"], {"ONCUE_SECRET_KEY": "short"}, 1, "32 characters"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, arguments, environ, code, words):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONCUE_")}
    given = {**kept, "ONCUE_DATA_DIR": str(tmp_path / "data"), **environ}
    done = subprocess.run([sys.executable, "-m", "oncue", *arguments], env=given, capture_output=True, text=True, timeout=30, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (code, ""), done
    assert words.lower() in done.stderr.lower() and "Traceback" not in done.stderr, done.stderr


def test_with_another_key_check_says_so_and_the_secrets_can_be_entered_anew(start):
    oncue = start()
    oncue.environ["ONCUE_SECRET_KEY"] = "another key, long enough to be one, by far"
    said = oncue.run("check", "--no-network")
    assert said.returncode == 1 and "Put the old key back, or enter the secrets anew" in said.stdout
    assert "Auth Token is required" in oncue.run("apply", str(out_of(oncue)), "--no-check").stderr
    (oncue.folder / "rules.yaml").write_text(RULES)
    assert oncue.run("apply", str(oncue.folder / "rules.yaml"), "--no-check").returncode == 0
    assert oncue.run("check", "--no-network").returncode == 0


def out_of(oncue):
    """What `export` writes to a file."""
    path = oncue.folder / "out.yaml"
    assert oncue.run("export", "-o", str(path)).returncode == 0
    nowhere = oncue.run("export", "-o", str(oncue.folder / "no" / "where.yaml"))
    assert nowhere.returncode == 1 and len(nowhere.stderr.splitlines()) == 1
    return path


def test_several_commands_may_be_the_first_at_once(tmp_path):
    """Each finds the schema as it should be, whoever of them made it."""
    environ = {**os.environ, "ONCUE_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "oncue", "key", "create"]
    running = [
        subprocess.Popen([*command, f"key-{n}"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for n in range(4)
    ]
    ended = [(one.communicate(timeout=60)[0], one.returncode) for one in running]
    assert [code for _, code in ended] == [0] * 4, ended


def test_the_version_is_told(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "oncue", "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == f"oncue {__version__}\n"


@pytest.mark.parametrize("command", [("serve",), ("key", "create", "another")], ids=" ".join)
def test_a_database_that_may_not_be_written_is_a_sentence_whatever_the_command(start, command):
    oncue = start(public=False)
    oncue.stop()
    oncue.environ[PLAIN] = "1"
    data = oncue.folder / "data"
    modes = {path: path.stat().st_mode for path in (*data.glob("oncue.db*"), data)}
    for path in modes:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        done = oncue.run(*command)
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "cannot be" in done.stderr and "readonly" in done.stderr, done.stderr

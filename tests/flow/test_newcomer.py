"""What a newcomer meets in the first hour: a demo that ends and begins again, ids typed by hand, a data directory that is not there."""

import re
import signal
import socket
import subprocess
import sys

import pytest

from forked import Oncue, Process
from house import ann
from oncue.testing import wait_for


class Demo(Oncue):
    """`oncue demo`, and commands on its data directory."""

    def begin_demo(self) -> Process:
        """Start it, and wait until it has texted; whoever begins it ends it."""
        said = self.folder / f"demo-{len(list(self.folder.glob('demo-*')))}.log"
        said.touch()
        process = self.begin(("demo", "--port", str(self.port)), said)
        self.environ["ONCUE_DATA_DIR"] = str(self.folder / "data-demo")
        wait_for(lambda: "is confirmed." in said.read_text(), 30, said.read_text)
        return process

    def end(self, process: Process, number: int = signal.SIGTERM) -> None:
        """End it; where it may be begun again."""
        process.send_signal(number)
        process.wait(20)
        self.environ["ONCUE_DATA_DIR"] = str(self.folder / "data")

    def carrier_is_there(self, port: int) -> bool:
        """Whether anybody listens there."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def carrier_port(self) -> int:
        """Where its simulated carrier is."""
        found = re.search(r"api_base_url: .*127\.0\.0\.1:(\d+)", self.run("export").stdout)
        assert found
        return int(found[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_however_the_demo_ends_its_carrier_ends_too(tmp_path, number):
    demo = Demo(tmp_path)
    process = demo.begin_demo()
    port = demo.carrier_port()
    assert demo.carrier_is_there(port)
    demo.end(process, number)
    wait_for(lambda: not demo.carrier_is_there(port), 10, lambda: "the simulator still listens")


def test_a_demo_whose_reader_goes_away_ends_quietly_and_in_order(tmp_path):
    demo = Demo(tmp_path)
    command = [sys.executable, "-m", "oncue", "demo", "--port", str(demo.port)]
    with subprocess.Popen(command, env=demo.environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # fmt: skip
        assert process.stdout and process.stderr
        process.stdout.readline()  # it runs; and that was enough, as for `head -1`
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(20) == 0
    assert "Traceback" not in said and "Error" not in said, said


MINE = """
rules:
  - key: table-ready
    name: Table ready
    state: "on"
    category: transactional
    triggers: [table_ready]
    actions:
      - {action: twilio.send_message, to: "{{ user.phone_number }}", body: "Your table is ready."}
"""


def test_begun_again_the_demo_texts_as_before_and_leaves_alone_what_others_made_of_it(tmp_path):
    demo = Demo(tmp_path)
    demo.end(demo.begin_demo())
    demo.environ["ONCUE_DATA_DIR"] = str(tmp_path / "data-demo")
    before = demo.run("export").stdout
    changed = before[before.index("rules:") :].replace("Winter offer", "Spring offer") + MINE.partition("rules:\n")[2]
    adaptors = (
        "adaptors:\n  email: {state: inactive, from: me@example.com}\npolicy: {quiet_categories: [promotional]}\n"
    )
    said = demo.apply(adaptors + changed, "--no-check")
    assert "changed: policy" in said and "created: rule table-ready" in said
    mine = demo.run("export").stdout
    demo.environ["ONCUE_DATA_DIR"] = str(tmp_path / "data")
    demo.end(demo.begin_demo())  # which waits for a text: the carrier is found, on its new port
    demo.environ["ONCUE_DATA_DIR"] = str(tmp_path / "data-demo")
    again = demo.run("export").stdout
    assert _but_for_ports(again) == _but_for_ports(mine) != _but_for_ports(before)


def _but_for_ports(exported: str) -> str:
    return re.sub(r"127\.0\.0\.1:\d+", "here", exported)


def test_explain_takes_the_id_that_an_app_gave_its_event(start):
    oncue = start()
    oncue.event("ann", "booking_confirmed", {"booking_id": "B1"}, id="evt-1", user_properties=ann())
    oncue.wait_for_event("twilio.delivered")
    assert "Hi Ann, booking B1 is confirmed." in oncue.run("explain", "evt-1").stdout
    assert "evt-2" in oncue.run("explain", "evt-2").stderr

    till = oncue.json("key", "create", "till")["key"]
    wait_for(lambda: oncue.call("POST", "/v1/events", b"", {"Authorization": f"Bearer {till}"})[0] != 401, 10)
    oncue.post({"type": "event", "user": "bob", "name": "till_opened", "id": "evt-1"}, key=till)
    asked = oncue.run("explain", "evt-1")
    assert asked.returncode == 1 and "could be any of 2" in asked.stderr
    assert "till_opened, bob" in asked.stderr and "booking_confirmed, ann" in asked.stderr


def test_explain_says_how_many_ids_begin_so_and_shows_some(start):
    oncue = start()
    first = oncue.event("ann", "entered")
    assert "entered" in oncue.run("explain", first[:3]).stdout, "there is one"
    items = [{"type": "event", "user": f"u{number}", "name": "looked"} for number in range(7)]
    sent = oncue.post(*items)["ids"]
    asked = oncue.run("explain", sent[0][:5])
    assert asked.returncode == 1
    assert "could be any of 8 events and messages; the newest are above" in asked.stderr
    assert [one for one in sent if one in asked.stderr] == sent[-5:]
    assert oncue.run("explain", sent[3]).returncode == 0
    assert "There is no event" in oncue.run("explain", "feed").stderr


@pytest.mark.parametrize(
    "command",
    ["messages", "events", "opt-outs", "explain evt-1", "check", "export", "users list", "users show ann", "users export ann",
     "forget ann", "key list", "key revoke shop", "member list", "member reset ann@example.com", "rotate-secrets",
     "backup copy.db"],
)  # fmt: skip
def test_what_looks_at_data_says_that_there_is_none_and_makes_nothing(tmp_path, command):
    oncue = Oncue(tmp_path)
    asked = oncue.run(*command.split())
    assert (asked.returncode, asked.stdout) == (1, "")
    assert str(tmp_path / "data") in asked.stderr and "ONCUE_DATA_DIR" in asked.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_demo_s_data_is_pointed_out(tmp_path):
    oncue = Oncue(tmp_path)
    (tmp_path / "data-demo").mkdir()
    assert f"The demo's is {tmp_path / 'data-demo'}." in oncue.run("messages").stderr


@pytest.mark.parametrize("command", ["key create shop", "member create ann@example.com", "users import people.csv"])
def test_what_begins_something_says_which_directory_it_made(tmp_path, command):
    oncue = Oncue(tmp_path)
    (tmp_path / "people.csv").write_text("user,first_name\nann,Ann\n")
    made = oncue.run(*command.split())
    assert made.returncode == 0 and f"Made the data directory {tmp_path / 'data'}." in made.stderr
    assert "Made" not in oncue.run("key", "create", "till").stderr, "once"


def test_what_only_looks_makes_no_data_directory(tmp_path):
    oncue = Oncue(tmp_path)
    (tmp_path / "rules.yaml").write_text(MINE)
    planned = oncue.run("plan", "rules.yaml")
    assert planned.returncode == 0 and "would be created: rule table-ready" in planned.stdout
    assert "it is taken as empty" in planned.stderr and str(tmp_path / "data") in planned.stderr
    tested = oncue.run("test", "rules.yaml", "--user", "ann", "--event", '{"name": "table_ready"}')
    assert tested.returncode == 0 and "table-ready would act" in tested.stdout
    assert not (tmp_path / "data").exists()

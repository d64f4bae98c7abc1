"""What a newcomer meets in the first hour: a demo that ends and begins again, ids typed by hand, a data directory that is not there."""

import re
import signal
import socket

import pytest

from forked import Oncue, Process
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

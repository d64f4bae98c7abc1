"""What `oncue serve` is when it runs in earnest: one process that listens in one place. The simulator is a verb of its own."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from forked import Oncue
from oncue import settings

PROC = Path("/proc")


def listening(pid: int) -> set[str]:
    """Where a process listens, as `address:port` in hexadecimal."""
    links = set()
    for path in (PROC / str(pid) / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile: it is none that listens
            links.add(str(path.readlink()))
    found = set()
    for name in ("tcp", "tcp6"):
        for line in (PROC / str(pid) / "net" / name).read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in links:
                found.add(local)
    return found


@pytest.mark.skipif(not PROC.exists(), reason="there is no /proc to see it in")
def test_serve_listens_in_one_place_and_starts_no_simulator(tmp_path: Path):
    with Oncue(tmp_path) as oncue:
        assert listening(oncue.pid) == {f"0100007F:{oncue.port:04X}"}
        for path in (PROC / str(oncue.pid) / "task").glob("*/children"):
            with suppress(FileNotFoundError):  # of a thread that has ended
                assert not path.read_text().split()
        assert oncue.call("GET", "/_sim/state")[0] in (302, 404)


def test_no_setting_turns_the_simulator_on():
    """That what serves does not know its code is a contract that import-linter keeps."""
    assert not [name for name, about in settings.KNOWN.items() if "simul" in (name + about).lower()]

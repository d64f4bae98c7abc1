"""The OpenAPI document is true: Schemathesis asks every operation what the document allows and what it forbids, and checks each answer.

`make` runs a few cases of each; for longer, by hand, with the key of a running oncue:
`schemathesis run URL/api/v1/openapi.json -H "Authorization: Bearer KEY" --checks all --max-time 600`, configured as here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from managing import api  # noqa: F401 a fixture

CONFIG = """
# A body may have the right shape and yet say nothing sensible: a condition that cannot be read, a template without an end.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "503"]

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "413", "415", "422"]

[phases.stateful]
max-steps = 4
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_answer_is_one_that_the_document_promises(api, tmp_path: Path):  # noqa: F811
    """Nothing leaves this machine: no adaptor is active, and none of the generated configurations is complete."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    tool = [sys.executable, "-m", "schemathesis.cli"]
    command = [
        *tool, "--config-file", str(tmp_path / "schemathesis.toml"), "run", f"{api.url}/api/v1/openapi.json",
        "--header", f"Authorization: Bearer {api.keys['admin']}", "--checks", "all", "--max-examples", "2",
        "--generation-deterministic", "--no-shrink", "--no-color", "--warnings", "off",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=380, check=False)
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    assert "0 total" not in done.stdout and " Stateful" in done.stdout, done.stdout[-2_000:]
    leaving = api.query(
        "SELECT adaptor, state FROM store_message WHERE NOT state IN ('waiting', 'canceled', 'suppressed', 'rejected')"
    )
    assert not leaving

"""The house rules that no linter knows."""

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "oncue"
FILES = sorted(SOURCE.rglob("*.py"))
RELATIVE = [path.relative_to(SOURCE).as_posix() for path in FILES]


def test_no_file_is_longer_than_four_hundred_lines():
    long = {str(path): count for path in FILES if (count := len(path.read_text().splitlines())) > 400}
    assert not long, f"split these: {long}"


def test_the_median_file_is_short():
    sizes = sorted(len(path.read_text().splitlines()) for path in FILES)
    assert sizes[len(sizes) // 2] <= 120


@pytest.mark.parametrize("name", RELATIVE)
def test_a_module_says_what_it_is_for(name: str):
    text = (SOURCE / name).read_text()
    assert not text.strip() or text.startswith(('"""', "# Generated")), f"{name} has no opening paragraph"


@pytest.mark.parametrize("name", RELATIVE)
def test_no_room_for_odds_and_ends(name: str):
    assert Path(name).stem not in {"utils", "util", "helpers", "common", "manager", "service", "base", "misc"}


# The demo and the simulator speak of the provider they imitate; the composition root does not need to.
MAY_SAY_TWILIO = re.compile(r"^(adaptors/twilio/|simulator/|cli/(demo|simulate)|samples/)")


@pytest.mark.parametrize("name", [name for name in RELATIVE if not MAY_SAY_TWILIO.match(name)])
def test_only_its_adaptor_and_the_simulator_know_the_word_twilio(name: str):
    """In code; a comment or docstring may take it as the example."""
    text = re.sub(r'""".*?"""', "", (SOURCE / name).read_text(), flags=re.S)
    lines = [line for line in text.splitlines() if "twilio" in line.split("#")[0].lower()]
    assert not lines, lines

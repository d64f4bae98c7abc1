"""What is fuzzed for hours (`make fuzz`) is also asked, in a second, of every seed, and of every seed cut short or with a byte changed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from promises import PROMISES

SEEDS = sorted(path for path in (Path(__file__).parent / "corpus").rglob("*") if path.is_file())


def test_every_promise_has_seeds_and_every_seed_a_promise():
    assert {path.parent.name for path in SEEDS} == set(PROMISES)


@pytest.mark.parametrize("name", PROMISES)
def test_a_promise_holds_for_its_seeds_and_what_is_near_them(name: str):
    chance = random.Random(name)
    for path in (path for path in SEEDS if path.parent.name == name):
        seed = path.read_bytes()
        PROMISES[name](seed)
        for _ in range(10):
            at = chance.randrange(len(seed) + 1)
            PROMISES[name](chance.choice((seed[:at], seed[:at] + chance.randbytes(1) + seed[at + 1 :])))

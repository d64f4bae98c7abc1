"""What is released: licences of all that oncue needs to run, pins, and what an audit says where nobody can be asked."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]

ALLOWED = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0"}
"""Licences that ask for no more than to be named, and so may stand beside Apache-2.0. docs/decisions/0012-release.md says who decides on others."""

AS_CLASSIFIED = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Python Software Foundation License": "PSF-2.0",
}
_VAGUE = "License :: OSI Approved"


def needed() -> dict[str, metadata.Distribution]:
    """What oncue needs to run, and what that needs, as installed here."""
    waiting = [
        (Requirement(one), "")
        for one in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    ]
    found: dict[str, metadata.Distribution] = {}
    seen = set()
    while waiting:
        one, extra = waiting.pop()
        if (one.name, extra) in seen or (one.marker and not one.marker.evaluate({"extra": extra})):
            continue
        seen.add((one.name, extra))
        found[canonicalize_name(one.name)] = installed = metadata.distribution(one.name)
        waiting += [(Requirement(text), name) for text in installed.requires or () for name in ("", *one.extras)]
    return found


def licences(installed: metadata.Distribution) -> Iterator[set[str]]:
    """Of all these sets one licence each must be allowed."""
    expression = installed.metadata.get("License-Expression")
    classifiers = [
        one for one in installed.metadata.get_all("Classifier", []) if one.startswith(_VAGUE) and one != _VAGUE
    ]
    if not expression and not classifiers:
        expression = installed.metadata.get("License", "")
    if expression:
        for part in re.split(r"\s+AND\s+", expression):
            yield set(re.split(r"\s+OR\s+", part.strip("() ")))
    for one in [] if expression else classifiers:
        yield {AS_CLASSIFIED.get(one.rpartition(" :: ")[2], one)}


def test_every_package_that_oncue_needs_has_a_licence_that_is_allowed():
    wrong = {
        name: [sorted(one) for one in licences(installed)] or ["none is named"]
        for name, installed in needed().items()
        if not (found := list(licences(installed))) or any(not one & ALLOWED for one in found)
    }
    assert not wrong, "decide on these, or do without them"
    assert len(needed()) > 40, "and theirs are among them"


def test_every_package_that_oncue_needs_is_pinned():
    pinned = {
        canonicalize_name(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    assert not needed().keys() - pinned


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "tools" / "audit.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# As pip-audit 2.10 writes it.
GOOD = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
BAD = {"name": "pyyaml", "version": "6.0.3", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["6.0.4"], "aliases": [], "description": "x"}]}  # fmt: skip
UNMENDED = {"name": "x", "version": "1", "vulns": [{"id": "GHSA-1", "fix_versions": [], "aliases": []}]}
NOT_ASKED = {
    "name": "aiosignal",
    "skip_reason": "Dependency not found on PyPI and could not be audited: aiosignal (1.4.0)",
}


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ([GOOD], 0, "None of "),
        ([GOOD, BAD], 1, "pyyaml 6.0.3: PYSEC-2026-1, mended in 6.0.4."),
        ([UNMENDED], 1, "mended in no version yet"),
        ([NOT_ASKED, BAD], 1, "PYSEC-2026-1"),
        ([NOT_ASKED, NOT_ASKED], 0, "COULD NOT ASK whether 2 of "),
        ([GOOD, NOT_ASKED], 0, "COULD NOT ASK whether 1 of "),
        (None, 0, "COULD NOT ASK"),
    ],
)
def test_an_audit_fails_on_what_is_known_and_says_where_nobody_could_be_asked(
    audit, monkeypatch, capsys, said, code, words
):
    asked = []

    def ask(service: str) -> tuple[list[str], int]:
        asked.append(service)
        found = audit.judge(json.dumps({"dependencies": said, "fixes": []}) if said is not None else "")
        assert isinstance(found, tuple)
        return found

    monkeypatch.setattr(audit, "ask", ask)
    assert audit.main() == code
    printed = capsys.readouterr().out
    assert words in printed
    assert ("None of" in printed) is (code == 0 and "COULD NOT" not in printed), (
        "nothing is called well that was not asked about"
    )
    assert asked == (["pypi", "osv"] if "COULD NOT" in printed and code == 0 else ["pypi"])

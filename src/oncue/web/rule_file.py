"""A rule as a file and back: the same YAML that `oncue apply` takes, with one rule in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from oncue.core.adaptor import Adaptor
from oncue.rules.compile import compile_rule
from oncue.rules.document import Document, read_document, write_document
from oncue.rules.nodes import FileFault
from oncue.rules.spec import RuleSpec

NAME = "line"
"""Stands before the number of the line: `line:7: …`."""


class FromFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says. `spec` is None if it does not say one rule; `faults` may speak of a rule that can be kept, but not switched on."""

    spec: RuleSpec | None
    faults: list[FileFault]


def write(spec: RuleSpec) -> str:
    """The rule as a file."""
    return write_document(Document(rules=[spec]))


def read(text: str, catalogue: Mapping[str, Adaptor], key: str = "") -> FromFile:
    """The rule that a text says. A rule that is saved already has its `key`, and keeps it."""
    document, faults = read_document(text, NAME, catalogue, {})
    more = sorted([*faults, *document.drafts], key=lambda fault: fault.line)
    if not faults and (document.api_keys or document.adaptors or document.policy is not None):
        more.append(FileFault(NAME, 1, "Only a rule can stand here; adaptors and keys have pages of their own."))
    rules = document.rules or []
    if len(rules) != 1:
        if not more:
            more.append(FileFault(NAME, 1, f"One rule belongs here, under rules, not {len(rules)}."))
        return FromFile(spec=None, faults=more)
    spec = rules[0]
    if key and spec.key != key:
        line = document.lines.get("rules[0].key", 1)
        sentence = f"The key of a rule is its identity and stays {key}; make a new rule to have another."
        more.append(FileFault(NAME, line, sentence))
    return FromFile(spec=None if _beyond(spec, catalogue, more) else spec, faults=more)


def sentences(faults: Iterable[FileFault]) -> list[str]:
    """What is wrong, each with its line."""
    return [f"Line {fault.line}: {fault.told}" for fault in faults]


def _beyond(spec: RuleSpec, catalogue: Mapping[str, Adaptor], faults: list[FileFault]) -> bool:
    """Whether there are faults beyond those of the rule itself: then the text says more, or other things, than the rule can hold."""
    compiled = compile_rule(spec, catalogue)
    own = Counter(fault.sentence for fault in compiled) if isinstance(compiled, list) else Counter[str]()
    return bool(Counter(fault.sentence for fault in faults) - own)

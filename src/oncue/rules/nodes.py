"""YAML read as text with line numbers. A YAML parser would make `+15005550006` a number, `on` true and `10:30` six hundred and thirty; here
every scalar stays the text that was written, and the field it fills decides its type.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import yaml

from oncue.core.fields import as_text

MOST_NODES = 200_000
MOST_CHARACTERS = 20_000_000
"""Aliases may repeat a part of the file, but not until it fills the memory."""


class FileFault(msgspec.Struct, frozen=True):
    """What is wrong in a file, where, and what to do."""

    file: str
    line: int
    sentence: str
    field: str = ""
    """The name of the field in the file, where the sentence may call it by its label, as forms do."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.told}"

    @property
    def told(self) -> str:
        """The sentence, which names the field as the file does."""
        is_said = not self.field or re.search(rf"\b{re.escape(self.field)}\b", self.sentence)
        return self.sentence if is_said else f"{self.field}: {self.sentence}"


class Plain(str):
    """A scalar that was written without quotes: in a JSON body it has the type that JSON would give it."""

    __slots__ = ()


class Tree:
    """A file's content: maps, lists and texts, and the line that each path stands on."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.lines: dict[str, int] = {"": 1}
        self.faults: list[FileFault] = []
        self.content: Any = None
        self._nodes = 0
        self._characters = 0

    def line(self, path: str) -> int:
        """The line of a path, or of the nearest thing above it."""
        while path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines[path]

    def fault(self, path: str, sentence: str, field: str = "") -> None:
        """Something is wrong at this path."""
        self.faults.append(FileFault(self.filename, self.line(path), sentence, field))

    def read(self, text: str) -> None:
        """Read the text; what is wrong with it as YAML becomes faults."""
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            self.content = self._convert(node, "") if node is not None else {}
            self.content = {} if self.content == "" else self.content  # `---` and nothing after it
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            self.faults.append(FileFault(self.filename, line, f"This is not YAML: {error.problem or error.context}."))
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            sentence = f"This is not YAML: it holds the character U+{int(error.character):04X}; take it out."
            self.faults.append(FileFault(self.filename, line, sentence))
        except yaml.YAMLError as error:
            self.faults.append(FileFault(self.filename, 1, f"This is not YAML: {' '.join(str(error).split())}."))
        except RecursionError:
            self.faults.append(FileFault(self.filename, 1, "This nests too deep."))

    def _convert(self, node: yaml.Node, path: str) -> Any:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise yaml.YAMLError(f"it has more than {MOST_NODES} parts once its aliases are followed")
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._convert_map(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._convert(one, f"{path}[{index}]") for index, one in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        self._characters += len(node.value)
        if self._characters > MOST_CHARACTERS:
            raise yaml.YAMLError(f"it has more than {MOST_CHARACTERS} characters once its aliases are followed")
        if unfit := re.search(r"[\x00\ud800-\udfff]", node.value):
            self.fault(path, f"A text cannot hold the character U+{ord(unfit[0]):04X}; take it out.")
        return Plain(node.value) if node.style is None else str(node.value)

    def _convert_map(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            line = key.start_mark.line + 1
            inner = f"{path}.{name}" if path else name
            if not name:
                self.faults.append(FileFault(self.filename, line, "A name must be a text."))
                continue
            self._convert(key, inner)
            if name == "<<" and key.style is None:
                self.faults.append(
                    FileFault(self.filename, line, "Merge keys (<<) are not followed; write the lines out.")
                )
                continue
            if name in found:
                self.faults.append(FileFault(self.filename, line, f"{name!r} stands here twice; keep one of them."))
                continue
            self.lines[inner] = line
            found[name] = self._convert(value, inner)
        return found


def as_written(value: Any) -> Any:
    """Texts throughout, as they were written."""
    if isinstance(value, dict):
        return {name: as_written(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_written(one) for one in value]
    return str(value)


def from_json(value: Any) -> Any:
    """JSON as YAML would be read here: texts stay, other scalars are texts that were written without quotes; null is nothing said."""
    if isinstance(value, dict):
        return {str(name): from_json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [from_json(one) for one in value]
    return value if isinstance(value, str) else Plain("" if value is None else as_text(value))


def as_json(value: Any) -> Any:
    """Unquoted scalars with the types that JSON gives them: `true`, `null`, `12`, `1.5`; all else is text."""
    if isinstance(value, dict):
        return {name: as_json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    if not isinstance(value, Plain):
        return str(value)
    if value in ("true", "false"):
        return value == "true"
    if value in ("null", ""):
        return None
    if re.fullmatch(r"-?(0|[1-9]\d{0,17})", value):
        return int(value)
    if re.fullmatch(r"-?(0|[1-9]\d*)\.\d+([eE][+-]?\d+)?", value):
        return float(value)
    return str(value)

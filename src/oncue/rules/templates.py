"""Templates: Liquid, parsed when the rule is saved and rendered when it acts; sandboxed, bounded, and strict about missing values.

No tag reads files. A value that is missing (absent, null or empty) and has no `default` stops the message: nobody is texted "Hi ,".
Asking for one in `{% if %}` is no fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from liquid import Environment
from liquid.ast import Node
from liquid.builtin.output import OutputNode
from liquid.exceptions import LiquidError, LiquidSyntaxError, UndefinedError, UnknownFilterError
from liquid.template import BoundTemplate

from oncue.rules import sandbox
from oncue.rules.names import there_is_no
from oncue.rules.paths import ROOTS, Path, parse_path

LONGEST = 50_000
"""Characters of a template."""


class Wrong(Exception):
    """What is wrong with a template as written, as a sentence."""


class MissingValue(Exception):
    """A value was missing and there is no default; the text says which."""


class Unrenderable(Exception):
    """The template cannot be rendered with these values; the text says why."""


_PLAIN, _HTML = sandbox.environment(False), sandbox.environment(True)

Rendering = Callable[[dict[str, Any]], Any]


@lru_cache(maxsize=2_000)
def parse(text: str, *, html: bool = False, typed: bool = False) -> Rendering:
    """A template ready to render with a scope of `event` and `user`. With `typed`, one that is exactly one `{{ … }}` keeps its value's type.

    Raises `Wrong`. Rendering raises `MissingValue` and `Unrenderable`.
    """
    if len(text) > LONGEST:
        raise Wrong(f"A template is at most {LONGEST} characters long.")
    if "{{" not in text and "{%" not in text:
        return lambda scope: text
    template = _parse(text, _HTML if html else _PLAIN)
    output = _only_output(template.nodes) if typed else None
    slow = partial(_text, template) if output is None else partial(_value, template, output)
    parts = None if html else _parts(text if output is None else text.strip())
    return slow if parts is None else partial(_join, parts, slow)


_INSERTED = re.compile(r"\{\{\s*((?:event|user)(?:\.[A-Za-z_]\w*)+)\s*\}\}")
_LIQUID_STEPS = frozenset({"size", "first", "last"})
"""Words that Liquid gives a meaning of their own."""


def _parts(text: str) -> tuple[str | Path, ...] | None:
    """The texts and paths of a template that only inserts values, as most do; None if it does more."""
    found = _INSERTED.split(text)  # text, path, text, path, …, text
    if any("{{" in one or "{%" in one for one in found[::2]):
        return None
    parts: list[str | Path] = []
    for index, one in enumerate(found):
        path = parse_path(one) if index % 2 else None
        if isinstance(path, str) or (path and _LIQUID_STEPS.intersection(path.steps)):
            return None
        parts.append(path or one)
    return tuple(part for part in parts if part)


def _join(parts: tuple[str | Path, ...], slow: Rendering, scope: dict[str, Any]) -> Any:
    """What Liquid would make of it, in a twentieth of the time, if every value is a text or an integer; anything else is left to Liquid."""
    texts = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        value = part.look_up(scope)
        kind = type(value)
        if kind is str and value:
            texts.append(value)
        elif kind is int and len(parts) > 1:
            texts.append(str(value))
        else:
            return slow(scope)
    text = "".join(texts)
    return text if len(text) <= sandbox.LARGEST else slow(scope)


def is_template(text: str) -> bool:
    """Whether there is anything to render in it."""
    return "{{" in text or "{%" in text


# `event.$name` is not a word to Liquid; `event["$name"]` is.
_ENVELOPE = re.compile(r"\b(event|user)\.(\$[a-z_]+)")
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.S)


def _parse(text: str, environment: Environment) -> BoundTemplate:
    source = _CODE.sub(lambda code: _ENVELOPE.sub(r'\1["\2"]', code[0]), text)
    try:
        template = environment.from_string(source)
        analysis = template.analyze()
        sandbox.bound(template)
    except UnknownFilterError as error:
        raise Wrong(_plain(error)) from None
    except LiquidSyntaxError as error:
        tag = re.match(r"unexpected tag '(\w+)'", _plain(error))
        if tag:
            raise Wrong(there_is_no("tag", tag[1], [name for name in environment.tags if name.isalpha()])) from None
        raise Wrong(f"The template cannot be read: {_plain(error)}.") from None
    except LiquidError as error:
        raise Wrong(f"The template cannot be read: {_plain(error)}.") from None
    except RecursionError:
        raise Wrong("The template nests too deep.") from None
    for name in analysis.filters:
        if name not in environment.filters:
            raise Wrong(there_is_no("filter", name, environment.filters))
    for root, variables in analysis.globals.items():
        if root not in ROOTS:
            raise Wrong(there_is_no("variable", root, ROOTS) + " Values are under event. and user.")
        for variable in variables:
            if re.search(r"\$", str(variable)):
                parsed = parse_path(str(variable))
                if isinstance(parsed, str):
                    raise Wrong(parsed)
    return template


def _only_output(nodes: list[Node]) -> OutputNode | None:
    spoken = [node for node in nodes if not _is_blank(node)]
    return spoken[0] if len(spoken) == 1 and isinstance(spoken[0], OutputNode) else None


def _is_blank(node: Node) -> bool:
    text = getattr(node, "text", None)
    return isinstance(text, str) and not text.strip()


def _value(template: BoundTemplate, output: OutputNode, scope: dict[str, Any]) -> Any:
    return _as_data(_render(lambda: sandbox.evaluate(output, template.context_class(template, globals=scope))))


def _text(template: BoundTemplate, scope: dict[str, Any]) -> str:
    return str(_render(lambda: template.render(**scope)))


def _render(rendering: Callable[[], Any]) -> Any:
    try:
        return rendering()
    except UndefinedError as error:
        raise MissingValue(_plain(error).replace("is undefined", "has no value")) from None
    except LiquidError as error:
        raise Unrenderable(_plain(error)) from None
    except Exception as error:  # the library's filters and tags raise what they like over values that do not suit them
        raise Unrenderable(f"the template cannot be rendered with these values ({error})") from None


def _as_data(value: Any) -> Any:
    """What JSON can hold: filters also make tuples, ranges and objects of their own."""
    if isinstance(value, dict):
        return {name: _as_data(one) for name, one in value.items()}
    if isinstance(value, list | tuple | range):
        return [_as_data(one) for one in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value) or None


def _plain(error: LiquidError) -> str:
    return str(error).split("\n", 1)[0].strip()


def present(value: Any) -> Any:
    """The same values without those that are null or empty texts, which templates see as missing."""
    if isinstance(value, dict):
        return {name: present(one) for name, one in value.items() if one is not None and one != ""}
    if isinstance(value, list):
        return [present(one) for one in value]
    return value

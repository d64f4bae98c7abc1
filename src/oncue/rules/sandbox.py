"""The sandbox that templates run in: no tag reads files, and whatever the values are, loops, filters and output are bounded.

It is also where a missing value is noticed: the library lets `plus` count it as 0 and `date` print nothing, and prints what is nil as "".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import wraps
from io import StringIO
from typing import Any, TextIO

from liquid import Environment
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.filters.misc import date
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.context import RenderContext
from liquid.exceptions import FilterValueError, LoopIterationLimitError, ResourceLimitError, UndefinedError
from liquid.expression import Expression
from liquid.filter import with_environment
from liquid.output import LimitedStringIO
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate
from liquid.undefined import FalsyStrictUndefined, Undefined

from oncue.core import clock
from oncue.core.fields import as_text
from oncue.rules.paths import ROOTS

MOST_ITERATIONS = 10_000
"""Of all loops of one rendering together; fewer if what they repeat is long."""
MOST_STEPS = 500_000
"""Iterations times the template's parts: what keeps a long body in a long loop from taking minutes."""
LARGEST = 200_000
"""Characters of the output, and of what any filter makes."""
MOST_WORK = 2_000_000
"""Characters and items that the filters of one rendering may go through."""

_FORBIDDEN_TAGS = ("include", "render", "increment", "decrement")
_FORBIDDEN_FILTERS = ("safe",)


class _Context(RenderContext):
    """Counts over the whole rendering: the library bounds each loop, but not a thousand of them one after another."""

    __slots__ = ("iterations", "work")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.iterations = self.work = 0

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.iterations += length
        most = self.template.most_iterations if isinstance(self.template, _Template) else MOST_ITERATIONS
        if self.iterations > most:
            raise LoopIterationLimitError(f"its loops go round more than {most} times", token=None)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        return _buffer(buf.size if isinstance(buf, LimitedStringIO) else 0)

    def spend(self, work: int) -> None:
        self.work += work
        if self.work > MOST_WORK:
            raise ResourceLimitError("its filters have too much to do", token=None)


class _Template(BoundTemplate):
    context_class = _Context
    most_iterations = MOST_ITERATIONS

    def _get_buffer(self) -> StringIO:
        return _buffer(0)


def _buffer(spent: int) -> StringIO:
    """Keeps the ends of lines as they are: the library's own would write each as `\\n`, and some as two."""
    return LimitedStringIO(limit=LARGEST - spent, newline="")


class _Sandbox(Environment):
    context_depth_limit = 20
    local_namespace_limit = 200_000
    output_stream_limit = LARGEST
    template_class = _Template


def environment(autoescape: bool) -> Environment:
    """Liquid as rules may use it."""
    made = _Sandbox(undefined=FalsyStrictUndefined, autoescape=autoescape)
    for tag in _FORBIDDEN_TAGS:
        del made.tags[tag]
    for name in _FORBIDDEN_FILTERS:
        del made.filters[name]
    made.add_tag(_Output)
    made.add_tag(_Echo)
    made.filters["date"] = _date
    made.filters = {name: _guard(name, function) for name, function in made.filters.items()}
    return made


@with_environment
def _date(value: Any, form: str, *, environment: Environment) -> Any:
    """The library's `date`, by the one clock and in UTC: it would ask the machine's own time and zone."""
    if value in ("now", "today"):
        value = clock.now() / clock.SECOND
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = datetime.fromtimestamp(value, UTC)
    return date(value, form, environment=environment)


def _guard(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, which refuses what is missing and what is too large to be meant."""
    wants_context = getattr(function, "with_context", False)

    @wraps(function)
    def guarded(value: Any, *args: Any, context: _Context, **kwargs: Any) -> Any:
        if name != "default":
            for one in (value, *args, *kwargs.values()):
                _refuse_undefined(one)
            value = as_text(value) if isinstance(value, bool) else value
        if name == "join" and isinstance(value, list):
            value = [_spoken(one) for one in value]
        context.spend(sum(map(_size, (value, *args))) + _growth(name, value, args))
        result = function(value, *args, **kwargs, **({"context": context} if wants_context else {}))
        if isinstance(result, int | float) and not (math.isfinite(result) and abs(result) < 2**63):
            raise FilterValueError(f"{name} makes a number that is too large", token=None)
        if _size(result) > LARGEST:
            raise ResourceLimitError(f"{name} makes more than {LARGEST} characters", token=None)
        return result

    guarded.with_context = True  # type: ignore[attr-defined]
    return guarded


def _refuse_undefined(value: Any) -> None:
    if isinstance(value, Undefined):
        str(value)  # raises, with the name of what is missing


def _growth(name: str, value: Any, args: tuple[Any, ...]) -> int:
    """How much these two would add: it has to be known before they do it."""
    if name == "replace" and len(args) == 2:
        return str(value).count(str(args[0])) * len(str(args[1]))
    if name == "join" and args and isinstance(value, list | tuple | range):
        return len(value) * len(str(args[0]))
    return 0


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) + 1
    if isinstance(value, dict):
        return sum(_size(one) + len(name) for name, one in value.items()) + 1
    if isinstance(value, list | tuple):
        return sum(map(_size, value)) + 1
    return len(value) if isinstance(value, range) else 1


def evaluate(output: OutputNode, context: RenderContext) -> Any:
    """The value of `{{ … }}`. Raises UndefinedError where there is none, also when it is an empty item of a list."""
    expression = output.expression
    value = expression.evaluate(context)
    _refuse_undefined(value)
    if value is None or (value == "" and _is_property(expression)):
        raise UndefinedError(f"{expression} has no value", token=None)
    return value


def _is_property(expression: Expression) -> bool:
    if not isinstance(expression, FilteredExpression) or expression.filters or not isinstance(expression.left, Path):
        return False
    return expression.left.path[0] in ROOTS


class _OutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _write(self, context, buffer)


class _EchoNode(EchoNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _write(self, context, buffer)


class _Output(Output):
    node_class = _OutputNode


class _Echo(EchoTag):
    node_class = _EchoNode


def _write(output: OutputNode, context: RenderContext, buffer: TextIO) -> int:
    value = evaluate(output, context)
    value = [_spoken(one) for one in value] if isinstance(value, list | tuple) else _spoken(value)
    return buffer.write(to_liquid_string(value, context.autoescape))


def _spoken(value: Any) -> Any:
    """Nothing for null, and JSON for a map or a list, where the library would print Python's words."""
    return as_text(value) if value is None or isinstance(value, bool | dict | list) else value


class _Range(RangeLiteral):
    __slots__ = ()

    def _make_range(self, start: Any, stop: Any) -> range:
        made = super()._make_range(start, stop)
        if made.stop - made.start > MOST_ITERATIONS:
            raise LoopIterationLimitError(f"a range has more than {MOST_ITERATIONS} numbers", token=None)
        return made


def bound(template: BoundTemplate) -> None:
    """Give a parsed template its bounds: `(1..event.n)` may ask for a billion numbers, and some filters and `reversed` make a list of them
    before any limit is looked at; and the longer it is, the fewer times its loops go round."""
    context = RenderContext(template)
    nodes: list[Node] = list(template.nodes)
    parts = 1
    for node in nodes:
        nodes += node.children(context, include_partials=False)
        parts += 1 + _bound(node.expressions())
    if isinstance(template, _Template):
        template.most_iterations = min(MOST_ITERATIONS, MOST_STEPS // parts)


def _bound(expressions: Iterable[Expression]) -> int:
    parts = 0
    for expression in expressions:
        if type(expression) is RangeLiteral:
            expression.__class__ = _Range
        parts += 1 + _bound(expression.children())
    return parts

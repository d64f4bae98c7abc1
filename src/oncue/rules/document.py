"""The file that `oncue apply` takes: API keys, adaptors, the policy and rules. Every fault is reported, each with file, line and remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import yaml

from oncue.core.adaptor import Adaptor
from oncue.core.fields import Fault, Field, Kind, read
from oncue.core.items import Source
from oncue.core.message import Category
from oncue.rules.compile import ENVIRONMENT, compile_rule, find_action, refuse_environment
from oncue.rules.names import there_is_no
from oncue.rules.nodes import FileFault, Plain, Tree, as_json, as_written, from_json
from oncue.rules.policy import Policy, read_values
from oncue.rules.spec import ActionSpec, RuleSpec, RuleState

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SECTIONS = ("api_keys", "adaptors", "policy", "rules")
_IGNORE = Field(name="ignore_quiet_hours", label="ignore_quiet_hours", help="", kind=Kind.BOOLEAN, default=False)
_RULE_FIELDS = ("key", "name", "state", "category", "triggers", "conditions", "actions", "send_within", _IGNORE.name)


class ApiKeySpec(msgspec.Struct, frozen=True, kw_only=True):
    """An API key that a file fixes."""

    name: str
    key: str
    per_second: float = 0.0
    source: str = Source.NATIVE
    app: int = 0


class AdaptorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An adaptor's configuration, typed, secrets in clear; `state` is active or inactive."""

    state: str = "active"
    values: dict[str, Any]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file. A section that the file does not have is None: nothing is said about it."""

    api_keys: list[ApiKeySpec] = []
    adaptors: dict[str, AdaptorSpec] = {}
    policy: Policy | None = None
    rules: list[RuleSpec] | None = None
    drafts: list[FileFault] = []
    """What is wrong with rules whose state is written down as off: they are taken as they are, as the builder takes them, and cannot be
    switched on."""
    lines: dict[str, int] = {}
    """Where things stand: `rules[0]`, `adaptors.email`, …"""


def read_document(
    text: str,
    filename: str,
    adaptors: Mapping[str, Adaptor],
    environ: Mapping[str, str],
    saved: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> tuple[Document, list[FileFault]]:
    """The document, and every fault; with faults the document is not to be used. `saved` is each adaptor's configuration as it is: secrets
    that the file leaves out stay."""
    tree = Tree(filename)
    tree.read(text)
    content = tree.content
    if tree.faults:
        return Document(), tree.faults
    if not isinstance(content, dict):
        tree.fault("", "The file must be a map with api_keys, adaptors or rules.")
        return Document(), tree.faults
    for name in content:
        if name not in _SECTIONS:
            tree.fault(name, there_is_no("section", name, _SECTIONS))
    keys = _read_keys(tree, content.get("api_keys"), environ)
    configured = _read_adaptors(tree, content.get("adaptors"), adaptors, environ, saved)
    policy = _read_policy(tree, content["policy"]) if "policy" in content else None
    drafts: list[FileFault] = []
    rules = _read_rules(tree, content["rules"], adaptors, drafts) if "rules" in content else None
    document = Document(api_keys=keys, adaptors=configured, policy=policy, rules=rules, drafts=drafts, lines=tree.lines)
    return document, sorted(tree.faults, key=lambda fault: fault.line)


def read_rule(given: dict[str, Any], adaptors: Mapping[str, Adaptor]) -> tuple[RuleSpec, list[Fault]]:
    """A rule that stands alone, as JSON says it, read as a file's rules are: the rule, and every fault with its path, such as
    `actions[0].body`. With faults the rule is not to be used."""
    tree = _Alone("")
    spec = _read_rule(tree, "", from_json(given), adaptors)
    compiled = compile_rule(spec, adaptors)
    return spec, [*tree.found, *(compiled if isinstance(compiled, list) else [])]


class _Alone(Tree):
    """Keeps where each fault is, since there are no lines."""

    def __init__(self, filename: str) -> None:
        super().__init__(filename)
        self.found: list[Fault] = []

    def fault(self, path: str, sentence: str, field: str = "") -> None:
        """Something is wrong at this path."""
        self.found.append(Fault(path.removeprefix("."), sentence))


def _expand(tree: Tree, path: str, value: Any, environ: Mapping[str, str]) -> Any:
    """`${env:NAME}` replaced, in texts at any depth."""
    if isinstance(value, dict):
        return {name: _expand(tree, f"{path}.{name}", one, environ) for name, one in value.items()}
    if isinstance(value, list):
        return [_expand(tree, f"{path}[{index}]", one, environ) for index, one in enumerate(value)]

    def replace(found: re.Match[str]) -> str:
        if found[1] not in environ:
            tree.fault(path, f"The environment variable {found[1]} is not set; set it, or write the value here.")
        return environ.get(found[1], "unset")

    return ENVIRONMENT.sub(replace, value)


def _is_unset(value: Any, environ: Mapping[str, str]) -> bool:
    return isinstance(value, str) and any(name not in environ for name in ENVIRONMENT.findall(value))


def _read_keys(tree: Tree, given: Any, environ: Mapping[str, str]) -> list[ApiKeySpec]:
    keys: list[ApiKeySpec] = []
    for index, one in enumerate(_list(tree, "api_keys", given)):
        path = f"api_keys[{index}]"
        if (
            not isinstance(one, dict)
            or not {"name", "key"} <= one.keys()
            or not one.keys() <= {"name", "key", "per_second", "source", "app"}
        ):
            tree.fault(path, "An API key has a name, a key and, if you like, per_second, source and app.")
            continue
        values = {
            name: _text(tree, f"{path}.{name}", value) for name, value in _expand(tree, path, one, environ).items()
        }
        if not values["name"].strip():
            tree.fault(f"{path}.name", "An API key needs a name.")
        source = values.get("source") or Source.NATIVE
        if source not in list(Source):
            tree.fault(f"{path}.source", there_is_no("source", source, list(Source)))
            continue
        shortest = Source(source).shortest_key
        if len(values["key"]) < shortest and not _is_unset(one["key"], environ):
            tree.fault(f"{path}.key", f"A key of fewer than {shortest} characters can be guessed; make a longer one.")
        app = values.get("app") or "0"
        if (source == Source.SWRVE) != (app != "0") or not re.fullmatch(r"[1-9]\d{0,14}|0", app):
            tree.fault(
                f"{path}.app",
                "app is the number of a Swrve app, such as 4567, which a key with `source: swrve` needs, and no other has.",
            )
            continue
        if any(values["name"] == key.name for key in keys):
            tree.fault(f"{path}.name", f"There are two API keys named {values['name']!r}; give each a name of its own.")
        rate = values.get("per_second") or "0"
        if not re.fullmatch(r"\d{1,9}(\.\d+)?", rate):
            tree.fault(f"{path}.per_second", f"per_second is a number of items a second, not {rate!r}.")
            continue
        per_second = float(rate)
        keys.append(
            ApiKeySpec(name=values["name"], key=values["key"], per_second=per_second, source=source, app=int(app))
        )
    return keys


def _read_adaptors(
    tree: Tree,
    given: Any,
    adaptors: Mapping[str, Adaptor],
    environ: Mapping[str, str],
    saved: Mapping[str, Mapping[str, Any]],
) -> dict[str, AdaptorSpec]:
    found: dict[str, AdaptorSpec] = {}
    for name, one in _map(tree, "adaptors", given).items():
        path = f"adaptors.{name}"
        declared = adaptors.get(name)
        if declared is None or declared.builtin:
            tree.fault(
                path, there_is_no("adaptor", name, [key for key, value in adaptors.items() if not value.builtin])
            )
            continue
        given_here = _map(tree, path, one)
        values = as_written(_expand(tree, path, given_here, environ))
        state = values.pop("state", "active")
        if state not in ("active", "inactive"):
            tree.fault(f"{path}.state", f"state is active or inactive, not {state!r}.")
        before = saved.get(name, {})
        typed, faults = declared.read_config({**declared.kept_secrets(before, values), **values})
        secrets = {field.name for field in declared.config if field.is_secret}
        emptied = secrets & before.keys() - values.keys()
        for fault in faults:
            if fault.field in emptied:  # what is kept has no fault
                tree.fault(path, f"{fault.sentence} What is saved is for another address; give it again, or keep the address.", fault.field)  # fmt: skip
            elif not _is_unset(given_here.get(fault.field), environ):  # said already, and all there is to say
                tree.fault(f"{path}.{fault.field}" if fault.field else path, fault.sentence, fault.field)
        found[name] = AdaptorSpec(state=state, values=typed)
    return found


def _read_policy(tree: Tree, given: Any) -> Policy:
    """What the section leaves out is the default, so that the file alone says what holds."""
    if given == "":
        tree.fault("policy", "There is nothing under policy; write its fields, or leave the section out.")
    for fault in refuse_environment("policy", given):
        tree.fault(fault.field, fault.sentence)
    policy, faults = read_values(as_written(_map(tree, "policy", given)))
    for fault in faults:
        tree.fault(f"policy.{fault.field}", fault.sentence)
    return policy


def _read_rules(tree: Tree, given: Any, adaptors: Mapping[str, Adaptor], drafts: list[FileFault]) -> list[RuleSpec]:
    rules: list[RuleSpec] = []
    keys: set[str] = set()
    if given is None or given == "":
        tree.fault(
            "rules", "There is nothing under rules, which would archive every rule; write rules: [] if you mean it."
        )
    for index, one in enumerate(_list(tree, "rules", given)):
        path = f"rules[{index}]"
        if not isinstance(one, dict):
            tree.fault(path, "A rule is a map with key, triggers and actions.")
            continue
        spec = _read_rule(tree, path, one, adaptors)
        if spec.key and spec.key in keys:
            tree.fault(f"{path}.key", f"There are two rules with the key {spec.key!r}; give each a key of its own.")
        keys.add(spec.key)
        compiled = compile_rule(spec, adaptors)
        if isinstance(compiled, list):
            found = [_in_file(tree, path, fault) for fault in compiled]
            (drafts if one.get("state") == RuleState.OFF else tree.faults).extend(found)
        rules.append(spec)
    return rules


def _in_file(tree: Tree, path: str, fault: Fault) -> FileFault:
    field = fault.field.partition("].")[2] if fault.field.startswith("actions[") else ""
    return FileFault(tree.filename, tree.line(f"{path}.{fault.field}"), fault.sentence, field)


def _read_rule(tree: Tree, path: str, given: dict[str, Any], adaptors: Mapping[str, Adaptor]) -> RuleSpec:
    for name in given:
        if name not in _RULE_FIELDS:
            tree.fault(f"{path}.{name}", there_is_no("field of a rule", name, _RULE_FIELDS))
    key = str(given.get("key", ""))
    if not _KEY.fullmatch(key):
        tree.fault(
            f"{path}.key",
            "A rule needs a key of lower-case letters, digits, - and _, at most 64: its identity, whatever its name.",
        )
        key = ""
    triggers = given.get("triggers")
    triggers = [triggers] if isinstance(triggers, str) else _list(tree, f"{path}.triggers", triggers)
    actions = [
        _read_action(tree, f"{path}.actions[{i}]", one, adaptors)
        for i, one in enumerate(_list(tree, f"{path}.actions", given.get("actions")))
    ]
    known = [action for action in actions if action]
    ignores, faults = read([_IGNORE], {name: as_written(given[name]) for name in given if name == _IGNORE.name})
    for fault in faults:
        tree.fault(f"{path}.{fault.field}", fault.sentence)
    return RuleSpec(
        key=key,
        name=_text(tree, f"{path}.name", given.get("name")) or key or "nameless",
        state=RuleState(_choice(tree, f"{path}.state", given.get("state") or "off", [one.value for one in RuleState])),
        category=_category(tree, path, given.get("category"), known, adaptors),
        triggers=tuple(_text(tree, f"{path}.triggers[{i}]", trigger) for i, trigger in enumerate(triggers)),
        conditions=tuple(as_written(one) for one in _list(tree, f"{path}.conditions", given.get("conditions"))),
        actions=tuple(known),
        send_within=_text(tree, f"{path}.send_within", given.get("send_within")) or "4h",
        ignore_quiet_hours=ignores.get(_IGNORE.name, False),
    )


def _category(
    tree: Tree, path: str, given: Any, actions: list[ActionSpec], adaptors: Mapping[str, Adaptor]
) -> Category:
    if given:
        return Category(_choice(tree, f"{path}.category", given, [one.value for one in Category]))
    found = [find_action(action.action, adaptors) for action in actions]
    if any(not isinstance(action, str) and action.is_message for action in found):
        tree.fault(
            path,
            "A rule that messages people needs a category: transactional, or promotional (only for people who opted in).",
        )
    return Category.TRANSACTIONAL


def _read_action(tree: Tree, path: str, given: Any, adaptors: Mapping[str, Adaptor]) -> ActionSpec | None:
    if not isinstance(given, dict) or not isinstance(given.get("action"), str):
        tree.fault(path, "An action is a map with action, such as email.send, and its fields.")
        return None
    name = str(given["action"])
    declared = find_action(name, adaptors)
    kinds = {} if isinstance(declared, str) else {field.name: field.kind for field in declared.fields}
    fields = {
        key: as_json(value) if kinds.get(key) is Kind.JSON else as_written(value)
        for key, value in given.items()
        if key != "action"
    }
    return ActionSpec(action=name, fields=fields)


def _choice(tree: Tree, path: str, given: Any, choices: list[str]) -> str:
    if given in choices:
        return str(given)
    tree.fault(path, f"It must be one of {', '.join(choices)}, not {str(given)!r}.")
    return choices[0]


def _text(tree: Tree, path: str, given: Any) -> str:
    if isinstance(given, dict | list):
        tree.fault(
            path, f"This must be a text, not a {'map' if isinstance(given, dict) else 'list'}; put quotes around it."
        )
        return ""
    return str(given or "")


def _list(tree: Tree, path: str, given: Any) -> list[Any]:
    if isinstance(given, list):
        return given
    if given:
        tree.fault(path, "This must be a list: one entry a line, each after a dash.")
    return []


def _map(tree: Tree, path: str, given: Any) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    if given:
        tree.fault(path, "This must be a map of names to values.")
    return {}


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, the rest as YAML likes it: quoted where it would be read as something else. Lists stand to the right
    of their names, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    if re.search("[\x85\u2028\u2029\ufeff]", text) or as_json(Plain(text)) != text:
        style = '"'  # YAML breaks lines at these; and a text such as 1.5e3 would come back as a number
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def write_document(document: Document) -> str:
    """The file again; reading it gives the same document."""
    content: dict[str, Any] = {}
    if document.api_keys:
        content["api_keys"] = [
            {
                "name": key.name,
                "key": key.key,
                **({"per_second": key.per_second} if key.per_second else {}),
                **({"source": key.source} if key.source != Source.NATIVE else {}),
                **({"app": key.app} if key.app else {}),
            }
            for key in document.api_keys
        ]
    if document.adaptors:
        content["adaptors"] = {
            name: {**({"state": one.state} if one.state != "active" else {}), **one.values}
            for name, one in document.adaptors.items()
        }
    if document.policy is not None:
        content["policy"] = msgspec.to_builtins(document.policy)
    if document.rules is not None:
        content["rules"] = [_rule_map(rule) for rule in document.rules]
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _rule_map(rule: RuleSpec) -> dict[str, Any]:
    content: dict[str, Any] = {
        "key": rule.key,
        "name": rule.name,
        "state": rule.state.value,
        "category": rule.category.value,
        "triggers": list(rule.triggers),
        "conditions": list(rule.conditions),
        "send_within": rule.send_within,
        **({_IGNORE.name: True} if rule.ignore_quiet_hours else {}),
        "actions": [{"action": action.action, **action.fields} for action in rule.actions],
    }
    return {name: value for name, value in content.items() if value != []}

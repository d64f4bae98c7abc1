"""Configuration as the running process uses it: one immutable snapshot, read anew whenever its version has risen.

Every change of rules, adaptors or keys, from the CLI or the web, raises `config_version` in its own transaction; the writer reads
that number in each of its transactions, so a change holds from the next event on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from django.db import connection

from oncue.core.adaptor import Adaptor
from oncue.core.fields import Fault
from oncue.core.items import Key
from oncue.rules.compile import Compiled, compile_rule
from oncue.rules.engine import RuleIndex
from oncue.rules.policy import Policy
from oncue.rules.spec import RuleSpec, RuleState
from oncue.store.secrets import Vault, WrongKey

log = logging.getLogger("oncue.store")


class AdaptorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A configured adaptor: `state` is `active` or `inactive`; `config` has its secrets in clear."""

    name: str
    state: str
    config: dict[str, Any]
    found: dict[str, Any] = {}
    problem: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it may send."""
        return self.state == "active"


class Pause(msgspec.Struct, frozen=True):
    """A part of an adaptor for which nothing is claimed until `until_at`."""

    reason: str
    until_at: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything configured, at one version."""

    version: int
    catalogue: Mapping[str, Adaptor]
    adaptors: dict[str, AdaptorConfig]
    index: RuleIndex
    compiled: dict[tuple[str, int], Compiled]
    """By key and revision."""
    revisions: dict[str, int]
    states: dict[str, RuleState]
    """Of every rule that is not archived."""
    keys: dict[str, Key]
    """By digest."""
    apps: dict[int, list[tuple[str, Key]]] = {}
    """Swrve apps' keys, with their values: what their SDKs send is an MD5 over one. Empty is one that the secret key does not open."""
    pauses: dict[tuple[str, str, str], Pause]
    """By adaptor, kind (account, sender, country) and key."""
    policy: Policy = Policy()
    wakeful: frozenset[str] = frozenset()
    """Rules that ignore the quiet hours."""

    def active(self, adaptor: str) -> AdaptorConfig | None:
        """The adaptor's configuration if it may send now."""
        found = self.adaptors.get(adaptor)
        return found if found and found.is_active else None

    def is_stopped(self, rule: str) -> bool:
        """Whether someone turned the rule off, or archived it: what still waits of it is not sent. What was written by hand has no rule."""
        return bool(rule) and self.states.get(rule, RuleState.OFF) is RuleState.OFF

    def paused(self, adaptor: str, sender: str, country: str) -> Pause | None:
        """What holds back a message of this adaptor, sender and country, if anything does."""
        if not self.pauses:
            return None
        found = (
            self.pauses.get((adaptor, "account", "")),
            self.pauses.get((adaptor, "sender", sender)),
            self.pauses.get((adaptor, "country", country)),
        )
        return max((pause for pause in found if pause), key=lambda pause: pause.until_at, default=None)


VERSION = "store_setting WHERE name = 'config_version'"
"""Where its `value` is kept: the number that every change of configuration raises; 0 if there is none."""


def version() -> int:
    """The number of the configuration that the database has."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT value FROM {VERSION}")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def raise_version() -> None:
    """Tell every process that the configuration has changed. Inside the transaction that changes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_setting (name, value) VALUES ('config_version', '1') "
            "ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(store_setting.value AS INTEGER) + 1 AS TEXT)"
        )


def read_policy() -> Policy:
    """The quiet hours and caps in force. One that cannot be read is the default, and logged: better late than at night."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM store_setting WHERE name = 'policy'")
        row = cursor.fetchone()
    try:
        return msgspec.json.decode(row[0], type=Policy) if row else Policy()
    except msgspec.DecodeError as error:
        log.error("the quiet hours and caps cannot be read, so the usual ones hold: %s", error)
        return Policy()


def load(catalogue: Mapping[str, Adaptor], vault: Vault, before: Snapshot | None = None) -> Snapshot:
    """Read the whole configuration. A rule that no longer compiles is left out and logged; it cannot fail the rest.

    Rules that have not changed since the snapshot `before` are not compiled again.
    """
    current = version()
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, state, config, secrets, found, problem FROM store_adaptor")
        adaptors = {row[0]: _adaptor(vault, *row) for row in cursor.fetchall() if row[0] in catalogue}
        cursor.execute("SELECT key, spec, revision FROM store_rule WHERE archived_at IS NULL ORDER BY key")
        found = [(key, _spec(key, spec), revision) for key, spec, revision in cursor.fetchall()]
        rules = [(spec, revision) for _, spec, revision in found if spec]
        cursor.execute("SELECT digest, secret, id, name, per_second, scopes, source, app FROM store_apikey")
        found_keys = [(digest, secret, _key(*row)) for digest, secret, *row in cursor.fetchall()]
        cursor.execute("SELECT adaptor, kind, key, reason, until_at FROM store_pause")
        pauses = {(row[0], row[1], row[2]): Pause(row[3], row[4]) for row in cursor.fetchall()}
    compiled = _compile(rules, catalogue, before.compiled if before else {})
    for name, adaptor in catalogue.items():
        if adaptor.builtin:
            adaptors[name] = AdaptorConfig(name=name, state="active", config={})
    return Snapshot(
        version=current,
        catalogue=catalogue,
        adaptors=adaptors,
        index=RuleIndex(list(compiled.values())),
        compiled=compiled,
        revisions={spec.key: revision for spec, revision in rules},
        # Of a rule that cannot be read nobody knows that it was turned off: what waits of it is not canceled.
        states={key: spec.state if spec else RuleState.ON for key, spec, _ in found},
        keys={digest: key for digest, _, key in found_keys},
        apps=_apps(vault, [(secret, key) for _, secret, key in found_keys if secret]),
        pauses=pauses,
        policy=read_policy(),
        wakeful=frozenset(one.spec.key for one in compiled.values() if one.spec.ignore_quiet_hours),
    )


def _key(one: str, name: str, per_second: float, scopes: str, source: str, app: int) -> Key:
    return Key(id=one, name=name, per_second=per_second, scopes=frozenset(scopes.split(",")), source=source, app=app)


def _apps(vault: Vault, keys: list[tuple[str, Key]]) -> dict[int, list[tuple[str, Key]]]:
    apps: dict[int, list[tuple[str, Key]]] = {}
    for secret, key in keys:
        try:
            apps.setdefault(key.app, []).append((vault.open(secret)["key"], key))
        except WrongKey as wrong:
            log.error("the key %s of a Swrve app opens nothing: %s", key.name, wrong)
            apps.setdefault(key.app, []).append(("", key))
    return apps


def _adaptor(vault: Vault, name: str, state: str, config: str, secrets: str, found: str, problem: str) -> AdaptorConfig:
    values = msgspec.json.decode(config, type=dict[str, Any])
    try:
        values |= vault.open(secrets)
    except WrongKey as wrong:
        log.error("adaptor %s is held inactive: %s", name, wrong)
        state, problem = "inactive", str(wrong)
    return AdaptorConfig(name=name, state=state, config=values, found=msgspec.json.decode(found), problem=problem)


def _spec(key: str, text: str) -> RuleSpec | None:
    try:
        return msgspec.json.decode(text, type=RuleSpec)
    except msgspec.DecodeError as error:
        log.error("rule %s does not act: it cannot be read: %s", key, error)
        return None


def _compile(
    rules: list[tuple[RuleSpec, int]], catalogue: Mapping[str, Adaptor], known: dict[tuple[str, int], Compiled]
) -> dict[tuple[str, int], Compiled]:
    compiled = {}
    for spec, revision in rules:
        if spec.state is RuleState.OFF:
            continue
        result = known.get((spec.key, revision)) or compile_rule(spec, catalogue, is_saved=True)
        if isinstance(result, Compiled):
            compiled[spec.key, revision] = result
        else:
            log.error("rule %s does not act: %s", spec.key, _sentences(result))
    return compiled


def _sentences(faults: list[Fault]) -> str:
    return " ".join(f"{fault.field}: {fault.sentence}" for fault in faults)

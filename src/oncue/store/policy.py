"""The policy as it is kept: read from and saved to the settings, in force from the writer's next transaction on."""

from __future__ import annotations

import msgspec
from django.db import connection

from oncue.rules.policy import FIELDS, Policy, differing, read_values
from oncue.store import audit
from oncue.store.config import raise_version, read_policy

__all__ = ["FIELDS", "Policy", "differing", "read_policy", "read_values", "save_policy"]


def save_policy(policy: Policy, by: str) -> bool:
    """Have this policy hold; whether it is another than before. Inside a transaction. What waits for a morning goes at that time, if the new
    policy allows it then."""
    before = read_policy()
    if before == policy:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_setting (name, value) VALUES ('policy', %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [msgspec.json.encode(policy).decode()],
        )
    raise_version()
    audit.record(by, "changed", "setting", "policy", msgspec.to_builtins(before), msgspec.to_builtins(policy))
    return True

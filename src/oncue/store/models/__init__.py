"""The schema. Django keeps it and migrates it; the hot path writes to it with batched SQL (`unit.py`).

Times are milliseconds since the epoch. `seq` is the order of commit, which listings page by. JSON is kept as text that
msgspec writes and reads: a JSON column would be parsed once more by the database for every row.
"""

from oncue.store.models.colleagues import AlertRow, AuditEntry, Invitation, Member, MemberSession, Throttle
from oncue.store.models.configuration import AdaptorRow, ApiKey, Pause, RuleRevision, RuleRow, Setting
from oncue.store.models.traffic import (
    AttemptRow,
    Consent,
    Conversation,
    Counter,
    DecisionRow,
    EventName,
    EventRow,
    MessageRow,
    OptOut,
    ProviderCopy,
    ReplyRow,
    SeenItem,
    UserRow,
)

__all__ = [
    "AdaptorRow",
    "AlertRow",
    "ApiKey",
    "AttemptRow",
    "AuditEntry",
    "Consent",
    "Conversation",
    "Counter",
    "DecisionRow",
    "EventName",
    "EventRow",
    "Invitation",
    "Member",
    "MemberSession",
    "MessageRow",
    "OptOut",
    "Pause",
    "ProviderCopy",
    "ReplyRow",
    "RuleRevision",
    "RuleRow",
    "SeenItem",
    "Setting",
    "Throttle",
    "UserRow",
]

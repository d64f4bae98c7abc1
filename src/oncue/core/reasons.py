"""Why oncue itself did not send: the reasons behind `message.suppressed`, `message.expired` and decisions.

Each has the sentence that people read, in the CLI, the UI and `explain`.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """A machine-readable reason, stable across releases."""

    ACTED = "acted"
    CONDITIONS = "conditions_not_met"
    RULE_OFF = "rule_off"
    NOT_TEST_USER = "not_a_test_user"
    CHAIN_TOO_DEEP = "chain_too_deep"
    CHAIN_TOO_WIDE = "chain_too_wide"
    RULE_FAULT = "rule_fault"
    MISSING_VALUE = "missing_value"
    INVALID_FIELD = "invalid_field"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    TOO_LATE = "too_late"
    QUIET_HOURS = "quiet_hours"
    CAPPED = "capped"
    NOT_CONFIGURED = "adaptor_not_configured"


STOPPED = "The rule was turned off before this was sent."

SENTENCES = {
    Reason.ACTED: "Every condition held, so the rule acted.",
    Reason.CONDITIONS: "A condition did not hold.",
    Reason.RULE_OFF: "The rule is off.",
    Reason.NOT_TEST_USER: "The rule is in test and this person is not a test user.",
    Reason.CHAIN_TOO_DEEP: "The chain of events that cause one another was cut at 10 links.",
    Reason.CHAIN_TOO_WIDE: "One event had already caused 50 others, so the chain was cut.",
    Reason.RULE_FAULT: "The rule could not be evaluated; this is a fault in oncue or in the rule.",
    Reason.MISSING_VALUE: "A field had no value for this person and the template gives no default.",
    Reason.INVALID_FIELD: "A field's value is not one that can be sent.",
    Reason.OPTED_OUT: "The person opted out of messages from this sender.",
    Reason.NO_CONSENT: "The person has not opted in to this category of messages.",
    Reason.TOO_LATE: "It was still waiting when its send-by time passed.",
    Reason.QUIET_HOURS: "It was night where the person is, and by morning it would have been too late.",
    Reason.CAPPED: "The person already got as many messages as the cap allows.",
    Reason.NOT_CONFIGURED: "The adaptor is not configured.",
}

"""What alerts are about, in words; and the test alert, by which members see whether they arrive."""

from __future__ import annotations

from oncue.core import ids
from oncue.store import alerts, audit
from oncue.web.backstage import behind

KINDS = {
    "paused": "Adaptor paused",
    "inactive": "Adaptor inactive",
    "rule_stopped": "Rule stopped",
    "rule_fault": "Rule not evaluated",
    "deliverability": "Fewer delivered",
    "silence": "No callbacks",
    "unreachable": "Provider unreachable",
    "unknown": "Messages unknown",
    alerts.TEST: "Test",
}
"""What an alert is about, in two words."""

MEANINGS = {
    "paused": "the provider refuses what goes by an account, a sender or to a country",
    "inactive": "an adaptor became inactive by itself, and its messages wait",
    "rule_stopped": "a rule that is on acts no more, since it has a fault",
    "rule_fault": "events came that a rule could not be evaluated on",
    "deliverability": "a smaller part of the messages arrives than did before",
    "silence": "a provider reports nothing about messages it took",
    "unreachable": "a provider has given no answer of use for two minutes while messages wait for it",
    "unknown": "nobody knows of some messages whether the provider took them",
    alerts.TEST: "somebody wanted to see whether alerts arrive",
}
"""The same as half a sentence."""


def raise_test(by: str) -> alerts.Alarm:
    """Raise an alert that says it is none; it is told within half a minute, and over then."""
    sentence = f"This is a test: {by} wanted to see whether alerts arrive. Nothing is wrong."
    alarm = alerts.Alarm(kind=alerts.TEST, key=ids.new(), sentence=sentence)

    def raise_it() -> None:
        alerts.settle([alarm], [])
        audit.record(by, "tested", "alert", alerts.TEST)

    behind().change(raise_it)
    return alarm

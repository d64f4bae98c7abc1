"""Courtesy: nobody is texted at night, and nobody too often.

Asked when a message is made and again when it is claimed, in that transaction: a message may have waited into the night, and two messages
cannot both be the last that a cap allows. What nobody asked for costs nothing: no policy for a category, no statement.
"""

from __future__ import annotations

from oncue.core import clock
from oncue.core.adaptor import Action
from oncue.core.message import Category
from oncue.core.reasons import Reason
from oncue.rules.policy import Policy
from oncue.rules.timing import Night, local_time, night, zones_of
from oncue.store.facts import Sent
from oncue.store.message import Message
from oncue.store.unit import Unit

DOUBTED_AGAIN_AFTER = 10 * clock.MINUTE
"""When a message is looked at again that is held since it is night by a clock that was set a moment ago."""


def load_for(unit: Unit, messages: list[Message]) -> None:
    """Have what `restrain` reads at hand, for all of them at once: where people are, and what they were sent."""
    policy = unit.snapshot.policy
    unit.load_users({one.user for one in messages if one.user and one.category in policy.quiet_categories})
    if policy.cap_messages:
        unit.load_sent({one.user for one in messages if _is_capped(policy, one)}, _counting(unit))


def restrain(unit: Unit, message: Message) -> tuple[Reason, str] | None:
    """Why this message may not go, if it may not. One that may go in the morning is given that time (`due_at`) and the reason for it."""
    policy = unit.snapshot.policy
    quiet = _night(unit, message, unit.now) if message.category in policy.quiet_categories else None
    if quiet and quiet.until_at > message.send_by:
        return Reason.QUIET_HOURS, f"{quiet.sentence}; it had to be sent by {local_time(message.send_by, quiet.zone)}."
    if quiet:
        message.due_at = quiet.until_at
        message.reason = f"{Reason.QUIET_HOURS}: {quiet.sentence}, so it waits until then."
        return None
    if unit.wrong_by and message.category in policy.quiet_categories and _night(unit, message, unit.otherwise):
        message.due_at = unit.now + DOUBTED_AGAIN_AFTER
        message.reason = (
            f"{Reason.QUIET_HOURS}: The clock was set a moment ago, and by what it said before it is night."
        )
        return None
    return _over_cap(unit, message) if policy.cap_messages and _is_capped(policy, message) else None


def sends(unit: Unit, message: Message) -> None:
    """The message is claimed: it no longer waits for any morning, and counts."""
    if message.reason.startswith(Reason.QUIET_HOURS):
        message.reason = ""
    policy = unit.snapshot.policy
    if policy.cap_messages and _is_capped(policy, message):
        unit.at_hand.setdefault(message.user, {})[message.id] = message


def _night(unit: Unit, message: Message, now: int) -> Night | None:
    action = _action(unit, message)
    if not (action and action.is_message and action.respects_quiet_hours) or message.rule in unit.snapshot.wakeful:
        return None
    policy, user = unit.snapshot.policy, unit.users.get(message.user)
    properties = user.properties if user else {}
    return night(policy, zones_of(properties, message.recipient, message.country, policy.default_zone), now)


def _over_cap(unit: Unit, message: Message) -> tuple[Reason, str] | None:
    policy, counting = unit.snapshot.policy, _counting(unit)
    if not counting.is_kind(message):  # a webhook reaches nobody
        return None
    at_hand = unit.at_hand.get(message.user, {})
    sent = unit.sent.get(message.user, 0) + sum(counting.counts(one) for one in at_hand.values())
    if sent < policy.cap_messages:
        return None
    what = f"{sent} {_either(policy.cap_categories)} message{'' if sent == 1 else 's'}"
    days = "day" if policy.cap_days == 1 else f"{policy.cap_days} days"
    return Reason.CAPPED, f"{message.user} was sent {what} in the last {days}, and the cap is {policy.cap_messages}."


def _counting(unit: Unit) -> Sent:
    policy = unit.snapshot.policy
    kinds = [
        f"{adaptor.name}.{action.name}"
        for adaptor in unit.snapshot.catalogue.values()
        for action in adaptor.actions
        if action.is_message
    ]
    return Sent(min(unit.now, unit.otherwise) - policy.cap_days * clock.DAY, policy.cap_categories, tuple(kinds))


def _is_capped(policy: Policy, message: Message) -> bool:
    return bool(message.user) and message.category in policy.cap_categories


def _action(unit: Unit, message: Message) -> Action | None:
    adaptor = unit.snapshot.catalogue.get(message.adaptor)
    return adaptor.action(message.action) if adaptor else None


def _either(categories: tuple[Category, ...]) -> str:
    return " or ".join(categories)

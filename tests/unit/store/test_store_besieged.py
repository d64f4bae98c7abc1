"""Under siege: rows that cannot be read, rules that set each other off, reports out of order. Nobody else is harmed, and nobody is texted."""

from __future__ import annotations

import asyncio

from inside import LOOP, RULE, Inside
from oncue.core import ids
from oncue.core.adaptor import Reply
from oncue.core.outcome import Retry

ANN, SENDER = "+15005551001", "+15005550006"
PROPERTIES = {"phone_number": ANN}
OFFER = RULE.replace("confirm", "offer").replace("transactional", "promotional").replace("[booked]", "[offered]")


def waiting(inside: Inside, user: str = "ann") -> str:
    """A message that waits for a minute."""
    inside.event(user, "booked", user_properties=PROPERTIES)
    one = inside.claimed.pop().id
    inside.ended(one, Retry("Too many requests", after=60))
    return one


def soon(inside: Inside, *jobs):
    """The jobs in one transaction, which must end."""

    async def all_of_them():
        async with asyncio.timeout(5):
            return await asyncio.gather(*(inside.writer.do(job) for job in jobs))

    return inside.run(all_of_them())


FLIP = """
  - key: {0}
    name: Flip
    state: "on"
    category: transactional
    triggers: [{1}]
    actions: [{{action: user.update, properties: {{consent_promotional: {2}}}}}]
"""


def test_rules_that_change_consent_back_and_forth_are_cut(inside):
    inside.apply(LOOP + FLIP.format("in", "oncue.opted_out", "true") + FLIP.format("out", "oncue.opted_in", "false"))
    said = b'{"type": "user", "user": "ann", "properties": {"consent_promotional": true}}'
    assert inside.run(asyncio.wait_for(inside.calling("POST", "/v1/events", said), 5)).status == 202
    assert "rule.chain_cut" in inside.events("ann")


def reply(body: str, consent: str, at: int) -> Reply:
    return Reply(
        provider_id=ids.new(), address=ANN, sender=SENDER, scopes=(SENDER,), body=body, consent=consent,
        properties={"body": body}, received_at=at,
    )  # fmt: skip


def test_one_event_may_change_consent_more_than_twice(inside):
    flips = [FLIP.format(f"flip-{n}", "booked", "true" if n % 2 else "false") for n in range(4)]
    inside.apply(LOOP + "".join(flips))
    inside.event("ann", "booked", user_properties={**PROPERTIES, "consent_promotional": True})
    assert inside.events("ann").count("oncue.opted_in") == 3

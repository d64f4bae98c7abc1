"""What each provider says of the account that is configured, and whether its clock and ours agree. For `oncue doctor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from oncue.core import clock
from oncue.core.adaptor import Adaptor
from oncue.core.finding import Finding, Situation, ok, problem, warning
from oncue.core.http import Answer, Response
from oncue.store import adaptors
from oncue.store.adaptors import Stored
from oncue.workers.http import Client

APART, FAR_APART = 10 * clock.SECOND, 2 * clock.MINUTE
"""Between the provider's clock and ours. What is looked for in its list is looked for within two minutes."""


class _Timed(Client):
    """Also compares clocks: `ahead` is by how many milliseconds ours is ahead, as the answer that took least shows; None if none says."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead: float | None = None
        self._took = float("inf")

    async def request(self, method: str, url: str, **more: Any) -> Answer:
        """See `oncue.core.http.Http`."""
        began = clock.now()
        answer = await super().request(method, url, **more)
        took = clock.now() - began
        if isinstance(answer, Response) and took < self._took and (theirs := _date(answer)) is not None:
            # Theirs is cut to the second.
            self.ahead, self._took = began + took / 2 - theirs - clock.SECOND / 2, took
        return answer


def _date(answer: Response) -> float | None:
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp() * clock.SECOND
    except ValueError:
        return None


async def examine(adaptor: Adaptor, stored: Stored, situation: Situation, network: bool) -> list[Finding]:
    """Everything that can be said of one configured adaptor."""
    name = adaptor.name
    if stored.problem:
        return [problem(name, stored.problem, "")]
    findings = []
    if stored.state != adaptors.ACTIVE:
        findings.append(warning(name, "It is inactive, and sends nothing.", "Activate it on its page."))
    if not network or not (adaptor.examine or adaptor.check):
        return findings or [ok(name, "Active.")]
    client = _Timed()
    try:
        if adaptor.examine:
            findings += await adaptor.examine(client, stored.values, situation)
        elif adaptor.check:
            checked = await adaptor.check(client, stored.values)
            said = ok(name, checked.sentence) if checked.ok else problem(name, checked.sentence, "Mend it on its page.")
            findings += [said, *(warning(name, note) for note in checked.notes)]
    finally:
        await client.close()
    return [*findings, *_clocks(adaptor, client.ahead)]


def _clocks(adaptor: Adaptor, ahead: float | None) -> Sequence[Finding]:
    if ahead is None:
        return ()
    about = f"{adaptor.name} clock"
    said = f"This machine's clock is {abs(ahead) / clock.SECOND:,.0f} seconds {'ahead of' if ahead > 0 else 'behind'} {adaptor.label}'s."
    remedy = "Let the machine keep time: `timedatectl set-ntp true`."
    if abs(ahead) > FAR_APART:
        return [problem(about, f"{said} Messages in doubt are looked for by time, and would not be found.", remedy)]
    return [warning(about, said, remedy)] if abs(ahead) > APART else [ok(about, f"It agrees with {adaptor.label}'s.")]


def used(
    adaptor: Adaptor, rules: Sequence[tuple[str, str, Mapping[str, Any]]]
) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Of (rule, action, fields), those of this adaptor."""
    return tuple((rule, fields) for rule, action, fields in rules if action.partition(".")[0] == adaptor.name)

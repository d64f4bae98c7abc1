"""`oncue explain`: for one event or message, in plain words, why it went as it did."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from oncue.cli.listings import Json
from oncue.cli.opened import open_installation
from oncue.cli.terminal import err, escaped, fail, plain, print_json, say, when
from oncue.core.message import State, redacted_on
from oncue.store import config
from oncue.store.config import Snapshot
from oncue.store.explain import MOST_ALIKE, Explanation, Told, alike
from oncue.store.explain import explain as find
from oncue.web.telling import standing

Row = dict[str, Any]

_STATES = {
    "submitting": "it is being handed to the provider",
    "accepted": "the provider has it",
    "unknown": "the provider may or may not have it",
    "rejected": "it was refused",
    "suppressed": "it was not sent",
    "expired": "it went stale before it could be sent",
    "canceled": "it was called off",
}
_NOTHING = "There is no event and no message with the id {!r}. `oncue messages` and `oncue events` list them."


def explain(
    one: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Of an event (oncue's or your app's), or of a message (oncue's or the provider's)."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Why a message was sent, or was not: the event, each condition, the fields, each attempt, each callback."""
    opened = open_installation()
    found = find(one) or find(_only_one_alike(one))
    if found is None:
        fail(_NOTHING.format(one))
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    _tell_event(found)
    for decision in found.decisions:
        _tell_decision(decision)
    if not found.decisions:
        say(f"\nNo rule is triggered by {escaped(found.event['name'])}.")
    snapshot = config.load(opened.catalogue, opened.vault)
    for told in found.messages:
        _tell_message(snapshot, told)
    for event in found.caused:
        say(f"\nIt caused the event [bold]{escaped(event['name'])}[/bold] ({event['id']})")


def _only_one_alike(one: str) -> str:
    """The one id that begins so; a sentence and exit 1 if nothing does, or several do."""
    could_be = alike(one)
    if not could_be.count:
        fail(_NOTHING.format(one))
    if could_be.count == 1:
        return str(could_be.newest[0]["id"])
    for row in could_be.newest:
        about = f"{row['kind']} {row['id']}  {row['name']}, {row['user_id'] or 'nobody we know'}, {when(row['at'])} UTC"
        err.print(escaped(about), soft_wrap=True)
    at_least = "at least " if could_be.count == MOST_ALIKE else ""
    shown = "these are" if could_be.count == len(could_be.newest) else "the newest are"
    fail(f"{one!r} could be any of {at_least}{could_be.count} events and messages; {shown} above. Give one whole id.")


def _tell_event(found: Explanation) -> None:
    event = found.event
    say(
        f"[bold]{escaped(event['name'])}[/bold] happened to {escaped(event['user_id'] or 'nobody we know')} at {when(event['timestamp'])} UTC"
    )
    say(f"  reported by {escaped(event['source'])}, event id {event['id']}")
    if found.cause:
        say(f"  it is about message {found.cause['id']} of the rule {escaped(found.cause['rule'])}")
    for name, value in event["properties"].items():
        say(f"  {escaped(name)}: {escaped(plain(value))}")


def _tell_decision(decision: Row) -> None:
    verb = "acted" if decision["acted"] else "did not act"
    say(
        f"\nRule [bold]{escaped(decision['rule'])}[/bold] (version {decision['revision']}) {verb}: {escaped(decision['sentence'])}"
    )
    for seen in decision["trace"] or []:
        tell_seen(seen, 1)


def tell_seen(seen: Row, depth: int) -> None:
    """A condition, and what it saw."""
    mark = "[green]holds[/green]     " if seen["held"] else "[red]does not[/red]  "
    parts = seen.get("parts") or []
    saw = "" if parts else ("   (there was no value)" if seen.get("missing") else f"   (saw {plain(seen.get('seen'))})")
    say(f"{'  ' * depth}{mark} {escaped(seen['condition'])}{escaped(saw)}")
    for part in parts:
        tell_seen(part, depth + 1)


def _tell_message(snapshot: Snapshot, told: Told) -> None:
    message = told.message
    sender = f" from {message['sender']}" if message["sender"] else ""
    to = f" to {message['recipient']}" if message["recipient"] else ""
    say(
        f"\nMessage [bold]{message['id']}[/bold]: {message['adaptor']}.{message['action']}{escaped(to)}{escaped(sender)}"
    )
    if message["state"] == State.WAITING:
        what = standing(snapshot, message)  # on what it waits for there is something to say
    else:
        what = ": ".join(filter(None, (_STATES.get(message["state"]), message["reason"])))
    say(f"  {message['state']}: {escaped(what)}")
    if message["carrier_status"]:
        code = f", error {message['error_code']}: {message['error_message']}" if message["error_code"] else ""
        say(f"  the provider calls it {message['carrier_status']}{escaped(code)} ({escaped(message['provider_id'])})")
    redacted = redacted_on(message["fields"])
    if redacted:
        say(f"    {escaped(redacted)}")
    for name, value in (message["fields"] or {}).items() if not redacted else ():
        say(f"    {escaped(name)}: {escaped(plain(value))}")
    for warning in message["warnings"] or []:
        say(f"  note: {escaped(warning)}")
    for attempt in told.attempts:
        _tell_attempt(attempt)
    for report in told.reports:
        _tell_report(report)


def _tell_attempt(attempt: Row) -> None:
    took = attempt["ended_at"] - attempt["started_at"]
    reason = f": {attempt['reason']}" if attempt["reason"] else ""
    say(
        f"  attempt {attempt['number']} at {when(attempt['started_at'])}, {took} ms: {attempt['outcome']}{escaped(reason)}"
    )
    for call in attempt["exchange"] or []:
        answer = call.get("status") or call.get("error") or "no answer"
        say(f"    {call.get('method', '')} {escaped(str(call.get('url', '')))} → {escaped(str(answer))}")


def _tell_report(report: Row) -> None:
    heard = "from the provider" if report["raw"] else "raised by oncue"
    code = report["properties"].get("error_code")
    error = f" error {code}: {report['properties'].get('error_message', '')}" if code else ""
    say(f"  {when(report['received_at'])}  {report['name']} ({heard}){escaped(error)}")

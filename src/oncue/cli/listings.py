"""Listings: messages, events, users, opt-outs. Newest first, `--json` for programs, `--before SEQ` for the page that follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from oncue.cli.opened import open_installation
from oncue.cli.terminal import err, escaped, fail, is_fitted, plain, print_json, print_rows, say, when
from oncue.core.message import State
from oncue.rules.names import there_is_no
from oncue.store import reading, search

SHOWN = 18
"""Characters of an id in a table at least: as many as tell it from the others there, and `oncue explain` takes them."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many at most.")]
Before = Annotated[int | None, typer.Option("--before", help="Only those before this `seq`: the next page.")]


def messages(
    user: Annotated[str, typer.Option(help="Only this user's.")] = "",
    rule: Annotated[str, typer.Option(help="Only this rule's.")] = "",
    state: Annotated[str, typer.Option(help="Only those in this state: waiting, accepted, unknown, rejected, …")] = "",
    limit: Limit = 20,
    before: Before = None,
    as_json: Json = False,
) -> None:
    """Messages and what became of them."""
    open_installation()
    if state and state not in list(State):
        fail(there_is_no("state", state, [one.value for one in State]))
    page = reading.messages(limit=limit, before=before, user=user, rule=rule, state=state)
    columns = {
        "when": lambda row: when(row["created_at"])[5:],
        "id": _beginnings(page.rows),
        "to": lambda row: row["recipient"],
        "state": lambda row: row["state"],
        "carrier": _carrier,
        "user": lambda row: row["user_id"],
        "rule": lambda row: row["rule"],
    }
    print_rows(page.rows, columns, as_json=as_json, nothing=_nothing("There are no messages yet.", user, rule, state))
    _say_how_far(page)


def _beginnings(rows: Sequence[dict[str, Any]]) -> Callable[[dict[str, Any]], str]:
    """Reads from a row as much of its id as tells it from the others: ids of one moment begin alike. Programs get all of it."""
    ids = {row["id"] for row in rows}
    longest = max(map(len, ids), default=SHOWN)
    fits = (n for n in range(SHOWN, longest) if len({one[:n] for one in ids}) == len(ids))
    shown = next(fits, longest) if is_fitted() else longest
    return lambda row: str(row["id"][:shown])


def _nothing(otherwise: str, *filters: str) -> str:
    """What is said of an empty listing."""
    return "Nothing matches." if any(filters) else otherwise


def _carrier(row: dict[str, Any]) -> str:
    code = f" ({row['error_code']})" if row["error_code"] else ""
    return f"{row['carrier_status']}{code}"


def _say_how_far(page: reading.Page) -> None:
    """A filter that no index serves is looked for among the newest; on the error stream, so that programs read rows only."""
    if page.looked_at_until is not None:
        err.print(
            f"What is older than {when(page.looked_at_until)} was not looked at; --before {page.next_before} goes on."
        )


def events(
    user: Annotated[str, typer.Option(help="Only this user's.")] = "",
    name: Annotated[str, typer.Option(help="Only events of this name.")] = "",
    limit: Limit = 20,
    before: Before = None,
    as_json: Json = False,
) -> None:
    """Events: what apps, providers and rules reported."""
    open_installation()
    page = reading.events(limit=limit, before=before, user=user, name=name)
    columns = {
        "when": lambda row: when(row["timestamp"])[5:],
        "id": _beginnings(page.rows),
        "name": lambda row: row["name"],
        "user": lambda row: row["user_id"],
        "properties": lambda row: plain(row["properties"]),
    }
    nothing = _nothing("There are no events yet. Send one to POST /v1/events.", user, name)
    print_rows(page.rows, columns, as_json=as_json, nothing=nothing)
    _say_how_far(page)


def opt_outs(
    address: Annotated[str, typer.Option(help="Only this number's.")] = "", limit: Limit = 50, as_json: Json = False
) -> None:
    """Numbers that opted out, of what, how, and whether it was lifted."""
    open_installation()
    columns = {
        "number": lambda row: row["address"],
        "of": lambda row: row["scope"],
        "since": lambda row: when(row["at"]),
        "source": lambda row: row["source"],
        "lifted": lambda row: when(row["lifted_at"]),
    }
    nothing = _nothing("Nobody has opted out.", address)
    print_rows(reading.opt_outs(limit=limit, address=address).rows, columns, as_json=as_json, nothing=nothing)


def show_users(limit: Limit = 20, before: Before = None, as_json: Json = False) -> None:
    """Users and their properties."""
    open_installation()
    columns = {
        "id": lambda row: row["id"],
        "phone": lambda row: row["phone"],
        "changed": lambda row: when(row["updated_at"]),
        "properties": lambda row: plain(row["properties"]),
    }
    rows = search.users(limit=limit, before=before).rows
    print_rows(rows, columns, as_json=as_json, nothing="There are no users yet.")


def show_user(one: Annotated[str, typer.Argument(metavar="USER")], as_json: Json = False) -> None:
    """One user: properties and consents."""
    open_installation()
    found = reading.user(one)
    if found is None:
        fail(f"There is no user {one!r}.")
    if as_json:
        print_json(found)
        return
    if found["id"] != one:
        say(f"{escaped(one)} is {escaped(found['id'])}.")
    for name, value in found["properties"].items():
        say(f"{name}: {plain(value)}")
    for said in found["consents"]:
        say(f"{said['category']}: {said['state']} since {when(said['at'])} ({said['source']})")
    if found["aliases"]:
        say(f"also known as: {escaped(', '.join(found['aliases']))}")

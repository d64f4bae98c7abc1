"""The dial, under `/_sim/`: what a test, the demo and a curious person ask the carrier itself."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from oncue.simulator import defaults
from oncue.simulator.answers import Form, Problem, Receive, Send, answer_json, read
from oncue.simulator.carrier import Carrier
from oncue.simulator.faults import Fault
from oncue.simulator.world import World


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    body: str
    to: str = defaults.LONG_CODE
    media: list[str] = []


class _Dial(msgspec.Struct, forbid_unknown_fields=True):
    pace: float | None = None
    advanced_opt_out: bool | None = None


async def control(
    world: World, carrier: Carrier, method: str, path: str, query: Form, receive: Receive, send: Send
) -> None:
    """Answer one request. Raises `Problem`."""
    if path == "events":
        await _stream(world, receive, send)
        return
    body = await read(receive)
    try:
        content = _answer(world, carrier, method, path.split("/"), query, body)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError) as error:
        raise Problem(400, 20001, str(error)) from None
    await answer_json(send, 200, content)


def _answer(world: World, carrier: Carrier, method: str, parts: list[str], query: Form, body: bytes) -> Any:
    match method, parts:
        case "GET", ["state"]:
            return state(world, bool(query.get("counts")))
        case "GET", ["messages"]:
            source = world.by_to[query["to"]] if query.get("to") else world.order
            return [msgspec.to_builtins(message) for message in source if message.account]
        case "GET", ["phones"]:
            return {phone: list(thread) for phone, thread in world.phones.items()}
        case "GET", ["phones", phone]:
            return list(world.phones.get(phone, ()))
        case "POST", ["phones", phone, "send"]:
            text = msgspec.json.decode(body, type=_Text)
            if text.to not in world.numbers:
                raise ValueError(f"{text.to} is not a number of the account; there are: {', '.join(world.numbers)}.")
            return msgspec.to_builtins(carrier.receive(phone, text.to, text.body, text.media))
        case "GET", ["faults"]:
            return [msgspec.to_builtins(fault) for fault in world.faults.list]
        case "POST", ["faults"]:
            return msgspec.to_builtins(world.faults.add(msgspec.json.decode(body, type=Fault)))
        case "DELETE", ["faults"]:
            world.faults.list.clear()
            return {}
        case "POST", ["dial"]:
            return _turn(world, msgspec.json.decode(body, type=_Dial))
        case "POST", ["reset"]:
            carrier.stop()
            world.reset()
            return {}
    raise Problem(404, 20404, "There is nothing here; see GET /_sim/state, phones, messages, faults, events.")


def _turn(world: World, dial: _Dial) -> dict[str, Any]:
    if dial.pace is not None:
        world.pace = dial.pace
    if dial.advanced_opt_out is not None:
        for service in world.services.values():
            service.advanced = dial.advanced_opt_out
    return {"pace": world.pace}


def state(world: World, counts: bool) -> dict[str, Any]:
    """What was accepted, with times, so that a test can count."""
    outgoing = [message for message in world.order if message.direction != "inbound" and message.account]
    found: dict[str, Any] = {
        "requests": world.requests,
        "accepted": len(outgoing),
        "inbound": len(world.order) - len(outgoing),
        "callbacks": world.callbacks,
    }
    if not counts:
        found["blocks"] = sorted(world.blocks)
        found["messages"] = [
            {"sid": one.sid, "to": one.to, "from": one.sender, "service": one.service, "body": one.body, "media": one.media, "status": one.status,
             "created_at": one.created_at, "history": one.history, "parameters": one.parameters}
            for one in outgoing
        ]  # fmt: skip
    return found


async def _stream(world: World, receive: Receive, send: Send) -> None:
    """Server-sent events: each text on a phone, each status; until the watcher hangs up."""
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(10_000)
    world.watchers.add(queue)
    gone = asyncio.create_task(_until_gone(receive))
    try:
        await send({"type": "http.response.body", "body": b": watching\n\n", "more_body": True})
        while True:
            coming = asyncio.create_task(queue.get())
            await asyncio.wait({coming, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                coming.cancel()
                return
            line = b"data: " + msgspec.json.encode(coming.result()) + b"\n\n"
            await send({"type": "http.response.body", "body": line, "more_body": True})
    finally:
        gone.cancel()
        world.watchers.discard(queue)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

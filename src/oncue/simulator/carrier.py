"""What happens after a message is accepted, and when a phone writes back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from oncue.core import clock
from oncue.simulator.gsm import count_segments
from oncue.simulator.webhooks import Caller
from oncue.simulator.world import Message, Service, World, sid

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
START = {"START", "YES", "UNSTOP"}
HELP = {"HELP", "INFO"}

_SAYS = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


class Carrier:
    """Carries messages to phones and back, and calls back about it."""

    def __init__(self, world: World, caller: Caller, account: str) -> None:
        self._world = world
        self._caller = caller
        self._account = account
        self._tasks: set[asyncio.Task[None]] = set()

    def dispatch(self, message: Message) -> None:
        """Carry a message, in the background."""
        self._start(self.carry(message))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def stop(self) -> None:
        """Forget what is under way."""
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Stop everything that is under way, and hang up."""
        self.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._caller.close()

    async def carry(self, message: Message) -> None:
        """From the first status to the last, calling back about each, in order; a slow webhook holds up no message."""
        world = self._world
        if message.status == "scheduled" or world.faults.draw(message.to, "stuck"):
            return
        reorder = world.faults.draw(message.to, "callback_reorder") is not None
        held: list[dict[str, str]] = []
        last: asyncio.Task[None] | None = None
        for status, code in self._steps(message):
            await self._pause()
            if message.status == "canceled":
                break
            if status == "queued":
                self._choose_sender(message)
            world.move(message, status, code)
            if status == "delivered":
                text = {
                    "direction": "in",
                    "from": message.sender,
                    "body": message.body,
                    "media": message.media,
                    "sid": message.sid,
                }
                world.ring(message.to, text)
            if not message.callback:
                continue
            if reorder:
                held.append(self._parameters(message))
            else:
                last = self._start(self.call_back(message, self._parameters(message), last))
        for parameters in reversed(held):
            last = self._start(self.call_back(message, parameters, last))
        if last:
            await asyncio.wait([last])

    async def _pause(self) -> None:
        if self._world.pace:
            await asyncio.sleep(self._world.pace)

    def _steps(self, message: Message) -> list[tuple[str, int]]:
        steps = [("queued", 0)] if message.service else []
        fault = self._world.faults.draw(message.to, "failed", "undelivered")
        if fault and fault.kind == "failed":
            return [*steps, ("failed", fault.code or 30008)]
        if fault:
            return [*steps, ("sent", 0), ("undelivered", fault.code or 30003)]
        return [*steps, ("sent", 0), ("delivered", 0)]

    def _choose_sender(self, message: Message) -> None:
        """The messaging service picks one of its pool; until now `from` was null and nothing was counted."""
        message.sender = message.sender or self._world.pick(self._world.services[message.service], message.to)
        message.segments = count_segments(message.body)

    def _parameters(self, message: Message) -> dict[str, str]:
        parameters = {
            "AccountSid": message.account,
            "ApiVersion": "2010-04-01",
            "From": message.sender,
            "MessageSid": message.sid,
            "MessageStatus": message.status,
            "SmsSid": message.sid,
            "SmsStatus": message.status,
            "To": message.to,
        }
        if message.service:
            parameters["MessagingServiceSid"] = message.service
        if message.error_code:
            parameters["ErrorCode"] = str(message.error_code)
        if message.status in ("delivered", "undelivered"):
            done_at = datetime.fromtimestamp(message.updated_at / clock.SECOND, UTC)
            parameters["RawDlrDoneDate"] = f"{done_at:%y%m%d%H%M}"  # by the carrier's clock, to the minute
        return parameters

    async def call_back(
        self, message: Message, parameters: dict[str, str], after: asyncio.Task[None] | None = None
    ) -> None:
        """Tell whoever asked, once the call before is through, unless a fault forbids."""
        faults = self._world.faults
        is_lost = faults.draw(message.to, "callback_lost")
        late = None if is_lost else faults.draw(message.to, "callback_late")
        if late:
            await asyncio.sleep(late.seconds)
        if after:
            await asyncio.wait([after])
        if is_lost:
            return
        for _ in range(2 if faults.draw(message.to, "callback_repeat") else 1):
            await self._caller.call(message.callback, parameters)
            self._world.callbacks += 1

    def notify(self, message: Message) -> None:
        """Call back about a status that was not reached on the way (`canceled`)."""
        if message.callback:
            self._start(self.call_back(message, self._parameters(message)))

    def receive(self, phone: str, to: str, body: str, media: list[str]) -> Message:
        """A phone wrote to one of the account's numbers."""
        world = self._world
        now = clock.now()
        service = world.service_of(to)
        message = Message(
            index=len(world.order), sid=sid("MM" if media else "SM"), account=self._account, to=to, sender=phone,
            service=service.sid if service else "", body=body, media=media, status="received", direction="inbound",
            segments=count_segments(body), created_at=now, updated_at=now, sent_at=now,
        )  # fmt: skip
        world.add(message)
        world.ring(phone, {"direction": "out", "to": to, "body": body, "media": media, "sid": message.sid})
        self._start(self._deliver(message, service))
        return message

    async def _deliver(self, message: Message, service: Service | None) -> None:
        """Keywords first, as Twilio does, then the webhook; what it answers goes to the phone."""
        word = _keyword(message.body)
        self._obey(message, service, word)
        number = self._world.numbers[message.to]
        url, method = number.sms_url, number.sms_method
        if service and not service.use_inbound_webhook_on_number:
            url, method = service.inbound_request_url, service.inbound_method
        if not url:
            return
        answer = await self._caller.call(url, self._incoming(message, service, word), method)
        if answer and answer[0] == 200:
            self._reply(message, answer[1])

    def _obey(self, message: Message, service: Service | None, word: str) -> None:
        if not (service or message.to.startswith("+")):
            return  # a short code outside a service: Twilio leaves it to its owner
        scopes = [message.to, *([service.sid, *service.pool] if service else [])]
        pairs = {(scope, message.sender) for scope in scopes}
        if word == "STOP":
            self._world.blocks |= pairs
        elif word == "START":
            self._world.blocks -= pairs
        if word:
            self._world.ring(
                message.sender, {"direction": "in", "from": message.to, "body": _SAYS[word], "media": [], "sid": ""}
            )

    def _incoming(self, message: Message, service: Service | None, word: str) -> dict[str, str]:
        parameters = {
            "AccountSid": message.account,
            "ApiVersion": "2010-04-01",
            "Body": message.body,
            "From": message.sender,
            "MessageSid": message.sid,
            "NumMedia": str(len(message.media)),
            "NumSegments": str(message.segments),
            "SmsMessageSid": message.sid,
            "SmsSid": message.sid,
            "SmsStatus": "received",
            "To": message.to,
        }
        for side, number in (("From", message.sender), ("To", message.to)):
            places = {f"{side}City": "", f"{side}State": "", f"{side}Zip": "", f"{side}Country": _country(number)}
            parameters.update(places)
        for index, url in enumerate(message.media):
            parameters[f"MediaUrl{index}"] = url
            parameters[f"MediaContentType{index}"] = "image/jpeg"
        if service:
            parameters["MessagingServiceSid"] = service.sid
            if service.advanced and word:
                parameters["OptOutType"] = word
        return parameters

    def _reply(self, message: Message, twiml: bytes) -> None:
        try:
            root = ElementTree.fromstring(twiml) if twiml.strip() else None
        except ElementTree.ParseError:
            return
        for element in root.iter("Message") if root is not None else ():
            body = element.findtext("Body") or (element.text or "").strip()
            if (message.to, message.sender) not in self._world.blocks:
                self._world.ring(
                    message.sender, {"direction": "in", "from": message.to, "body": body, "media": [], "sid": ""}
                )


def _country(number: str) -> str:
    return "GB" if number.startswith("+44") else "US" if number.startswith("+1") or len(number) <= 6 else ""


def _keyword(body: str) -> str:
    word = re.sub(r"\s+", " ", body).strip().upper()
    return "STOP" if word in STOP else "START" if word in START else "HELP" if word in HELP else ""

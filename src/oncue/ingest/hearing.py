"""How much of requests may be in memory at a time: what is arriving, and what waits to be stored. Beyond it the door answers 503."""

from __future__ import annotations

from oncue.ingest.answers import Message, Receive, Refused

MOST_BYTES = 64_000_000
"""Of bodies, unpacked: 64 requests of the largest size."""


class Room:
    """Shared by all requests."""

    def __init__(self) -> None:
        self.taken = 0


class Hearing:
    """What a request sends, counted until it is answered and `leave`s. It is called as any `receive` is."""

    __slots__ = ("_receive", "_room", "size")

    def __init__(self, room: Room, receive: Receive) -> None:
        self.size = 0
        self._room = room
        self._receive = receive

    async def __call__(self) -> Message:
        """The next message. Raises `Refused` when there is no room for it."""
        message = await self._receive()
        self.hold(len(message.get("body", b"")))
        return message

    def hold(self, size: int) -> None:
        """So many bytes more. Raises `Refused`."""
        self.size += size
        self._room.taken += size
        if self._room.taken > MOST_BYTES:
            raise Refused(503, "The server is taking in as much as it can; try again in 1 s.", (b"retry-after", b"1"))

    def leave(self) -> None:
        """Nothing of it is in memory any more."""
        self._room.taken -= self.size

"""An answer's head goes out with its body, and alone only if no body follows at once."""

import asyncio

from oncue.cli.joined import Joined

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Written:
    """What a transport was told."""

    def __init__(self):
        self.told = []

    def write(self, data):
        self.told.append(data)

    def close(self):
        self.told.append("closed")

    def is_closing(self):
        return "closed" in self.told


def told(*steps):
    """What the transport is told by these steps; None is a turn of the loop."""

    async def run():
        under = Written()
        transport = Joined(under, asyncio.get_running_loop())
        for step in steps:
            if step is None:
                await asyncio.sleep(0)
            elif step == "close":
                transport.close()
            else:
                transport.write(step)
        await asyncio.sleep(0)
        assert transport.is_closing() == ("close" in steps)
        return under.told

    return asyncio.run(run())


def test_an_answer_is_one_piece():
    assert told(HEAD, b"body") == [HEAD + b"body"]
    assert told(HEAD, b"one", HEAD, b"two") == [HEAD + b"one", HEAD + b"two"]


def test_what_follows_later_is_not_waited_for():
    assert told(HEAD, None, b"data: 1\n\n", b"data: 2\n\n") == [HEAD, b"data: 1\n\n", b"data: 2\n\n"]
    assert told(HEAD) == [HEAD]


def test_what_is_held_is_sent_before_the_end():
    assert told(HEAD, "close") == [HEAD, "closed"]
    assert told(HEAD, b"body", "close") == [HEAD + b"body", "closed"]
    assert told(HEAD, HEAD) == [HEAD + HEAD]

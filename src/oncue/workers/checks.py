"""Checking an adaptor's credentials with its provider, from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncue.core.adaptor import Adaptor, Checked
from oncue.workers.http import Client


async def check_adaptor(adaptor: Adaptor, config: Mapping[str, Any]) -> Checked | None:
    """What the provider says; None if there is nothing to ask."""
    if adaptor.check is None:
        return None
    client = Client()
    try:
        return await adaptor.check(client, config)
    finally:
        await client.close()


async def set_inbound(adaptor: Adaptor, config: Mapping[str, Any], url: str) -> Checked:
    """Have the provider send people's messages to this address."""
    client = Client()
    try:
        assert adaptor.set_inbound is not None
        return await adaptor.set_inbound(client, config, url)
    finally:
        await client.close()

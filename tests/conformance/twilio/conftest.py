"""Puts the shared cases where the tables can import them."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from twilio_cases import ACCOUNT, SENDER, TOKEN


@pytest.fixture
def config() -> dict[str, Any]:
    return {
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "api_base_url": "https://api.twilio.com",
        "default_sender": SENDER,
    }

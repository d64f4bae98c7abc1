"""Where Twilio's API is, and who we are to it.

Region and edge are part of the host's name: `api.<edge>.<region>.twilio.com`. A simulator, named by `api_base_url`, answers for every
product under one address.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from oncue.adaptors.twilio.fields import DEFAULT_BASE
from oncue.core.adaptor import Config


def api(config: Config) -> str:
    """The base of the 2010 API, without a trailing slash."""
    return _host(config, "api")


def account(config: Config) -> str:
    """The account's own resource, without `.json`: what Messages and numbers hang from."""
    return f"{api(config)}/2010-04-01/Accounts/{config['account_sid']}"


def messaging(config: Config) -> str:
    """The base of the Messaging API, which has the services."""
    return f"{_host(config, 'messaging')}/v1"


def follow(config: Config, uri: str) -> str:
    """The absolute address of a `next_page_uri`; empty if it leads to another host, where our credentials must not go."""
    for base in (api(config), _host(config, "messaging")):
        if uri.startswith(base + "/"):
            return uri
    return api(config) + uri if uri.startswith("/") and not uri.startswith("//") else ""


def credentials(config: Config) -> tuple[str, str]:
    """Name and password for HTTP Basic: the API key if there is one, else the auth token."""
    if config.get("api_key_sid") and config.get("api_key_secret"):
        return str(config["api_key_sid"]), str(config["api_key_secret"])
    return token(config)


def token(config: Config) -> tuple[str, str]:
    """Account SID and auth token."""
    return str(config["account_sid"]), str(config.get("auth_token") or "")


def _host(config: Config, product: str) -> str:
    base = str(config.get("api_base_url") or DEFAULT_BASE).rstrip("/")
    if urlsplit(base).hostname != urlsplit(DEFAULT_BASE).hostname:
        return base
    edge, region = config.get("edge"), config.get("region")
    if edge and not region:
        region = "us1"
    return "https://" + ".".join(str(part) for part in (product, edge, region, "twilio.com") if part)

"""What to paste to connect an app: for each kind of key, the lines that point its SDK, or curl, at this oncue."""

from __future__ import annotations

from urllib.parse import urlsplit

from oncue.core.items import Source
from oncue.store import keys

LABELS = {
    Source.NATIVE: "oncue's own format, and the management API",
    Source.SEGMENT: "Segment's and RudderStack's SDKs",
    Source.SWRVE: "Swrve's SDKs and Events API",
}

Snippet = tuple[str, str]
"""What it is for, and the text."""


def snippets(
    base: str, token: str, *, source: str = Source.NATIVE, app: int = 0, scopes: list[str] | None = None
) -> list[Snippet]:
    """For a key with this value, at this address (without a trailing slash)."""
    if source == Source.SEGMENT:
        return _segment(base, token)
    if source == Source.SWRVE:
        return _swrve(base, token, app)
    return _native(base, token, scopes or [keys.EVENTS])


def _native(base: str, token: str, scopes: list[str]) -> list[Snippet]:
    found = []
    if keys.EVENTS in scopes:
        found.append(
            (
                "Send an event",
                f"curl {base}/v1/events \\\n  -H 'Authorization: Bearer {token}' \\\n  -H 'Content-Type: application/json' \\\n"
                '  -d \'{"type": "event", "user": "u1", "name": "booking_confirmed", "properties": {"booking_id": "B-17"}}\'',
            )
        )
    if {*scopes} - {keys.EVENTS}:
        found.append(
            ("See the newest messages", f"curl {base}/api/v1/messages?limit=5 \\\n  -H 'Authorization: Bearer {token}'")
        )
    return found


def _segment(base: str, token: str) -> list[Snippet]:
    return [
        (
            "curl",
            f"curl {base}/v1/track -u '{token}:' \\\n"
            '  -d \'{"userId": "u1", "event": "booking_confirmed", "properties": {"booking_id": "B-17"}}\'',
        ),
        (
            "Segment, Python",
            f'import segment.analytics as analytics\n\nanalytics.write_key = "{token}"\nanalytics.host = "{base}"',
        ),
        (
            "Segment, Node",
            'import { Analytics } from "@segment/analytics-node";\n\n'
            f'const analytics = new Analytics({{ writeKey: "{token}", host: "{base}" }});',
        ),
        (
            "Segment, browser",
            'import { AnalyticsBrowser } from "@segment/analytics-next";\n\n'
            f'const analytics = AnalyticsBrowser.load({{ writeKey: "{token}", cdnURL: "{base}" }});',
        ),
        (
            "RudderStack, Python",
            f'import rudderstack.analytics as analytics\n\nanalytics.write_key = "{token}"\nanalytics.dataPlaneUrl = "{base}"',
        ),
        (
            "RudderStack, Node",
            'import RudderAnalytics from "@rudderstack/rudder-sdk-node";\n\n'
            f'const analytics = new RudderAnalytics("{token}", {{\n  dataPlaneUrl: "{base}",\n  errorHandler: console.error,\n}});',
        ),
    ]


def _swrve(base: str, token: str, app: int) -> list[Snippet]:
    host = urlsplit(base).hostname or ""
    # The web SDK refuses an address in which it finds no domain.
    web = base if "." in host and host.rpartition(".")[2].isalpha() else f"{base}/swrve.io"
    return [
        (
            "curl",
            f"curl {base}/1/event -d api_key={token} -d user=u1 -d app_version=1 \\\n"
            '  -d name=booking_confirmed --data-urlencode \'swrve_payload={"booking_id": "B-17"}\'',
        ),
        (
            "Web",
            f'SwrveSDK.initWithConfig({{\n  appId: {app},\n  apiKey: "{token}",\n  externalUserId: userId,\n  eventsUrl: "{web}",\n'
            f'  contentUrl: "{web}",\n  identityUrl: "{web}/identify",\n}});',
        ),
        (
            "Android (Kotlin)",
            f'val config = SwrveConfig()\nconfig.setEventsUrl(URL("{base}"))\nconfig.setContentUrl(URL("{base}"))\n'
            f'config.setIdentityUrl(URL("{base}"))\nSwrveSDK.createInstance(this, {app}, "{token}", config)',
        ),
        (
            "iOS (Swift)",
            f'let config = SwrveConfig()\nconfig.eventsServer = "{base}"\nconfig.contentServer = "{base}"\n'
            f'config.identityServer = "{base}"\nSwrveSDK.sharedInstance(withAppID: {app}, apiKey: "{token}", config: config)',
        ),
    ]

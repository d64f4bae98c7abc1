"""What a team would write instead in an afternoon: a Django view that saves the event and texts through the official package.

Django's ORM and ASGI handler on uvicorn, SQLite in WAL mode with synchronous=FULL as ours, the official `twilio` client with its
connection pool, called in Django's thread for synchronous code. No rules, no retries, no opt-outs, no status.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import django
import uvicorn
from django.conf import settings


def main(given: argparse.Namespace) -> None:
    """Serve until terminated."""
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(Path(given.database)),
        "OPTIONS": {"init_command": "PRAGMA synchronous=FULL", "timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
    settings.configure(
        SECRET_KEY="bench",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": database},
        LOGGING_CONFIG=None,
    )
    django.setup()
    from django.core.handlers.asgi import ASGIHandler
    from django.db import connection, models
    from django.http import HttpRequest, JsonResponse
    from django.urls import path
    from twilio.rest import Client

    class Event(models.Model):
        id = models.CharField(max_length=100, primary_key=True)
        user = models.CharField(max_length=100)
        name = models.CharField(max_length=100)
        properties = models.JSONField()
        at = models.FloatField()

        class Meta:
            app_label = "bench"

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
    with connection.schema_editor() as editor:
        editor.create_model(Event)
    connection.close()
    client = Client(given.account, given.token)
    client.api.base_url = given.carrier

    def events(request: HttpRequest) -> Any:
        content = json.loads(request.body)
        for one in content.get("items", [content]):
            Event.objects.create(
                id=one["id"], user=one["user"], name=one["name"], properties=one["properties"], at=time.time()
            )
            if given.carrier:
                text = f"Hi Ann, booking {one['properties']['booking_id']} is confirmed."
                client.messages.create(to=one["user_properties"]["phone_number"], from_="+15005550006", body=text)
        return JsonResponse({}, status=202, headers={"Content-Length": "2"})

    sys.modules[__name__].urlpatterns = [path("v1/events", events)]  # type: ignore[attr-defined]
    uvicorn.run(
        ASGIHandler(),
        port=given.port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--carrier", default="")
    parser.add_argument("--account", default="")
    parser.add_argument("--token", default="")
    main(parser.parse_args())

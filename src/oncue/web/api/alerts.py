"""Alerts: what members should know."""

from __future__ import annotations

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.store import alerts as stored
from oncue.web.alert_kinds import MEANINGS, raise_test
from oncue.web.api import paging
from oncue.web.api.auth import ADMIN, READ, who
from oncue.web.api.operations import Resource
from oncue.web.api.paging import Before, Limit, Paged
from oncue.web.api.shapes import At

ALERTS = Resource(
    "Alerts",
    "What members should know: an adaptor that is paused, a rule that is stopped, calls that stay away. Settings say who is told.",
)


_KINDS = "; ".join(f"`{kind}`: {meaning}" for kind, meaning in MEANINGS.items())


class Alert(BaseModel):
    """Something that is wrong, or was."""

    kind: str = Field(description=f"What is wrong: {_KINDS}.", examples=["paused"])
    key: str = Field(description="With what.", examples=["email account"])
    sentence: str = Field(
        description="What happened and what to do.", examples=["The password is wrong; save it again."]
    )
    opened_at: At = Field(description="Since when.")
    closed_at: At | None = Field(description="Until when; null if it still is.", examples=[None])
    told_at: At | None = Field(description="When members were told; null if they were not yet.")


class Alerts(Paged):
    """What is wrong, and what was."""

    open: list[Alert] = Field(description="What is wrong now, newest first; on the first page only.")
    items: list[Alert] = Field(description="What is over, newest first.")


@ALERTS.operation("GET /alerts", scope=READ, answer=Alerts)
def list_alerts(request: HttpRequest, before: Before = None, limit: Limit = 50) -> object:
    """List alerts"""
    page = stored.past(limit=limit, before=before)
    return {**paging.page(request, page.rows, page.next_before), "open": stored.open_ones() if before is None else []}


@ALERTS.operation("POST /alerts/test", scope=ADMIN, answer=Alert, status=201)
def test_alerts(request: HttpRequest) -> object:
    """Send a test alert

    To everybody who is told of alerts, within half a minute; `told_at` in the list says when, and `GET /alerting` what went wrong if it was not."""
    raised = raise_test(who(request))
    return next(one for one in (*stored.open_ones(), *stored.past().rows) if one["key"] == raised.key)

"""Webhooks: tell another system, by HTTP, signed by the Standard Webhooks scheme."""

from __future__ import annotations

from oncue.adaptors.webhook import fields, send
from oncue.core.adaptor import Action, Adaptor, EventKind

adaptor = Adaptor(
    name="webhook",
    label="Webhook",
    help="Makes HTTP requests to other systems.",
    config=fields.ACCOUNT,
    check_config=fields.check_config,
    actions=(
        Action(
            name="request",
            label="Make request",
            help="Makes one HTTP request.",
            fields=fields.REQUEST,
            prepare=send.prepare,
            send=send.send,
            check=fields.check_request,
            is_message=False,
        ),
    ),
    events=(
        EventKind("succeeded", "Webhook succeeded", "The other system answered with a 2xx status."),
        EventKind("failed", "Webhook failed", "The other system refused the request."),
    ),
    statuses={"succeeded": 10, "failed": 20},
    final=frozenset({"succeeded", "failed"}),
)

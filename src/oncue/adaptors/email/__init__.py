"""E-mail over SMTP."""

from __future__ import annotations

from oncue.adaptors.email import fields, preview, send
from oncue.core.adaptor import Action, Adaptor, EventKind

adaptor = Adaptor(
    name="email",
    label="Email",
    help="Sends e-mails through an SMTP server.",
    config=fields.ACCOUNT,
    check_config=fields.check_config,
    check=send.check,
    actions=(
        Action(
            name="send",
            label="Send e-mail",
            help="Sends one e-mail to one person.",
            fields=fields.MESSAGE,
            prepare=send.prepare,
            send=send.send,
            check=fields.check_message,
            preview=preview.preview,
            respects_quiet_hours=False,
        ),
    ),
    events=(
        EventKind("sent", "E-mail sent", "The mail server took the e-mail."),
        EventKind("failed", "E-mail failed", "The mail server refused the e-mail, or its address is none."),
    ),
    statuses={"sent": 10, "failed": 20},
    final=frozenset({"sent", "failed"}),
)

"""Members, who work with oncue: how they sign in, what they changed, what they are told."""

from __future__ import annotations

from django.db import models


class Member(models.Model):
    """A colleague who signs in to the web UI. `role` is owner, editor or viewer; one who is disabled cannot sign in."""

    id = models.CharField(max_length=32, primary_key=True)
    email = models.CharField(max_length=254, unique=True)
    password = models.CharField(max_length=200)
    role = models.CharField(max_length=10, default="owner")
    zone = models.CharField(max_length=50, db_default="")
    created_at = models.BigIntegerField()
    disabled_at = models.BigIntegerField(null=True)


class MemberSession(models.Model):
    """A browser that is signed in: the SHA-256 of its cookie, and where it was last seen from."""

    digest = models.CharField(max_length=64, primary_key=True)
    member = models.CharField(max_length=32, db_index=True)
    agent = models.CharField(max_length=200)
    address = models.CharField(max_length=50)
    created_at = models.BigIntegerField()
    seen_at = models.BigIntegerField()
    expires_at = models.BigIntegerField()

    class Meta:
        db_table = "store_session"


class Invitation(models.Model):
    """A link that works once: whoever opens it chooses a password, and is that member from then on."""

    digest = models.CharField(max_length=64, primary_key=True)
    email = models.CharField(max_length=254)
    role = models.CharField(max_length=10)
    created_at = models.BigIntegerField()
    expires_at = models.BigIntegerField()


class Throttle(models.Model):
    """Failed attempts to sign in, by e-mail address and by where they came from."""

    key = models.CharField(max_length=300, primary_key=True)
    failures = models.IntegerField()
    until_at = models.BigIntegerField()


class AuditEntry(models.Model):
    """Who changed what, before and after (JSON, secrets left out). Append-only."""

    seq = models.BigAutoField(primary_key=True)
    at = models.BigIntegerField()
    by = models.CharField(max_length=254)
    verb = models.CharField(max_length=30)
    kind = models.CharField(max_length=30)
    name = models.CharField(max_length=254)
    before = models.TextField(db_default="")
    after = models.TextField(db_default="")
    note = models.TextField(db_default="")

    class Meta:
        db_table = "store_audit"
        indexes = [models.Index(fields=["kind", "name", "seq"], name="audit_of")]


class AlertRow(models.Model):
    """Something members should know: open until it is over, told once."""

    seq = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=254)
    sentence = models.TextField()
    opened_at = models.BigIntegerField()
    closed_at = models.BigIntegerField(null=True)
    told_at = models.BigIntegerField(null=True)

    class Meta:
        db_table = "store_alert"
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], condition=models.Q(closed_at=None), name="alert_open_once")
        ]

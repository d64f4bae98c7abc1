"""What is configured: settings, keys, adaptors and their pauses, rules and their revisions."""

from __future__ import annotations

from django.db import models


class Setting(models.Model):
    """Named values of the installation: `config_version` is raised by every change of configuration."""

    name = models.CharField(max_length=64, primary_key=True)
    value = models.TextField()


class ApiKey(models.Model):
    """A key that apps send events with, or programs manage oncue with; kept as a SHA-256, since keys are long and random.

    `scopes` is a comma-separated list: `events` (send events), `read`, `write`, `admin` (the management API). `source` is whose wire format
    it opens. A Swrve app's key is kept encrypted too, as `secret`: its SDKs never send it, but an MD5 over it.
    """

    id = models.CharField(max_length=32, primary_key=True)
    name = models.CharField(max_length=100, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    per_second = models.FloatField(default=0)
    scopes = models.CharField(max_length=100, db_default="events")
    created_by = models.CharField(max_length=254, db_default="")
    created_at = models.BigIntegerField()
    source = models.CharField(max_length=10, db_default="native")
    app = models.BigIntegerField(db_default=0)
    secret = models.TextField(db_default="")


class AdaptorRow(models.Model):
    """A configured adaptor. Secrets are encrypted in one token; `found` is what activating it learned of the account."""

    name = models.CharField(max_length=50, primary_key=True)
    state = models.CharField(max_length=10)
    config = models.TextField(default="{}")
    secrets = models.TextField(default="")
    found = models.TextField(default="{}")
    problem = models.TextField(default="")
    poll_cursor = models.TextField(default="{}")
    updated_at = models.BigIntegerField()

    class Meta:
        db_table = "store_adaptor"


class Pause(models.Model):
    """A part of an adaptor that the provider refuses (the account, a sender, a country): nothing is claimed for it until `until_at`."""

    adaptor = models.CharField(max_length=50)
    kind = models.CharField(max_length=10)
    key = models.CharField(max_length=100)
    reason = models.TextField()
    since_at = models.BigIntegerField()
    until_at = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["adaptor", "kind", "key"], name="pause_once")]


class RuleRow(models.Model):
    """A rule. `origin` is who made it (`file`, `ui`): applying a file archives only rules that a file made."""

    key = models.CharField(max_length=64, primary_key=True)
    spec = models.TextField()
    origin = models.CharField(max_length=10, default="file")
    revision = models.IntegerField(default=1)
    archived_at = models.BigIntegerField(null=True)
    updated_at = models.BigIntegerField()

    class Meta:
        db_table = "store_rule"


class RuleRevision(models.Model):
    """Every version that a rule has had."""

    key = models.CharField(max_length=64)
    revision = models.IntegerField()
    spec = models.TextField()
    by = models.CharField(max_length=254)
    at = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "revision"], name="revision_once")]

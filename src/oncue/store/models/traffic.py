"""What comes and goes: users and what they said, events, decisions, messages, attempts, counters."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class UserRow(models.Model):
    """A person. `anonymous` is one whom nobody has named yet. `phone` is their `phone_number` property, by which a reply from a stranger's number finds them."""

    seq = models.BigAutoField(primary_key=True)
    id = models.CharField(max_length=200, unique=True)
    properties = models.TextField()
    phone = models.CharField(max_length=40, default="")
    anonymous = models.BooleanField(db_default=False)
    created_at = models.BigIntegerField()
    updated_at = models.BigIntegerField()

    class Meta:
        db_table = "store_user"
        indexes = [models.Index(fields=["phone"], condition=~Q(phone=""), name="user_phone")]


class Alias(models.Model):
    """An anonymous id that was found to be a user's. `source` is whose id it is (`Key.family`)."""

    id = models.CharField(max_length=200, primary_key=True)
    user_id = models.CharField(max_length=200, db_index=True)
    source = models.CharField(max_length=50)
    at = models.BigIntegerField()


class Consent(models.Model):
    """What a user last said to a category of messages, when and where."""

    user_id = models.CharField(max_length=200)
    category = models.CharField(max_length=20)
    state = models.CharField(max_length=10)
    source = models.TextField()
    at = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "category"], name="consent_once")]


class OptOut(models.Model):
    """A number that opted out of one sender or messaging service. Only START or a member with a reason lifts it."""

    address = models.CharField(max_length=254)
    scope = models.CharField(max_length=254)
    source = models.TextField()
    at = models.BigIntegerField()
    lifted_at = models.BigIntegerField(null=True)
    lifted_by = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "scope"], name="opt_out_once")]


class SeenItem(models.Model):
    """The client's ids already taken in: a hash of key and id → our event. `day` is when it may be forgotten by."""

    digest = models.CharField(max_length=32, primary_key=True)
    event = models.CharField(max_length=32)
    day = models.IntegerField(db_index=True)

    class Meta:
        db_table = "store_seen"


class EventRow(models.Model):
    """Something that happened. A provider's callback is one too, with its raw payload. Append-only."""

    seq = models.BigAutoField(primary_key=True)
    id = models.CharField(max_length=32, unique=True)
    user_id = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    properties = models.TextField()
    timestamp = models.BigIntegerField()
    received_at = models.BigIntegerField()
    source = models.CharField(max_length=100)
    cause = models.CharField(max_length=32)
    root = models.CharField(max_length=32)
    depth = models.SmallIntegerField()
    raw = models.TextField()

    class Meta:
        db_table = "store_event"
        indexes = [
            models.Index(fields=["user_id", "seq"], name="event_user"),
            models.Index(fields=["root"], condition=Q(depth__gt=0), name="event_root"),
        ]


class EventName(models.Model):
    """Event names ever seen, and the properties seen with each: what triggers and fields are picked from, and checked against.

    `properties` is a JSON map from a property's name to an example of its value. The name `$user` stands for users' own properties.
    """

    name = models.CharField(max_length=200, primary_key=True)
    first_at = models.BigIntegerField()
    properties = models.TextField(db_default="{}")


class DecisionRow(models.Model):
    """Why a rule did or did not act on one event; `trace` holds each condition and the value seen."""

    seq = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=32)
    rule = models.CharField(max_length=64)
    revision = models.IntegerField()
    acted = models.BooleanField()
    reason = models.CharField(max_length=30)
    sentence = models.TextField()
    trace = models.TextField()
    at = models.BigIntegerField()

    class Meta:
        db_table = "store_decision"
        indexes = [models.Index(fields=["event"], name="decision_event")]


class MessageRow(models.Model):
    """One outgoing piece of work. Its two columns of state are drawn in docs/states.md."""

    seq = models.BigAutoField(primary_key=True)
    id = models.CharField(max_length=32, unique=True)
    user_id = models.CharField(max_length=200)
    rule = models.CharField(max_length=64)
    event = models.CharField(max_length=32)
    root = models.CharField(max_length=32)
    depth = models.SmallIntegerField()
    adaptor = models.CharField(max_length=50)
    action = models.CharField(max_length=50)
    category = models.CharField(max_length=20)
    priority = models.SmallIntegerField()
    fields = models.TextField()
    recipient = models.CharField(max_length=254)
    sender = models.CharField(max_length=254)
    country = models.CharField(max_length=2)
    scopes = models.TextField()
    lane = models.CharField(max_length=300)
    per_second = models.FloatField()
    warnings = models.TextField()
    state = models.CharField(max_length=12)
    reason = models.TextField()
    carrier_status = models.CharField(max_length=40)
    provider_id = models.CharField(max_length=100)
    error_code = models.CharField(max_length=20)
    error_message = models.TextField()
    raised = models.TextField()
    attempts = models.IntegerField()
    boot = models.CharField(max_length=32)
    send_by = models.BigIntegerField()
    due_at = models.BigIntegerField()
    created_at = models.BigIntegerField()
    updated_at = models.BigIntegerField()

    class Meta:
        db_table = "store_message"
        indexes = [
            models.Index(fields=["user_id", "seq"], name="message_user"),
            models.Index(fields=["event"], name="message_event"),
            models.Index(fields=["root"], name="message_root"),
            models.Index(fields=["lane", "priority", "due_at"], condition=Q(state="waiting"), name="message_waiting"),
            models.Index(fields=["send_by"], condition=Q(state="waiting"), name="message_send_by"),
            models.Index(fields=["state"], condition=Q(state__in=["submitting", "unknown"]), name="message_in_doubt"),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="message_provider"),
        ]


class AttemptRow(models.Model):
    """One call to the provider for a message, with the exchange (secrets redacted)."""

    seq = models.BigAutoField(primary_key=True)
    message = models.CharField(max_length=32)
    number = models.IntegerField()
    outcome = models.CharField(max_length=12)
    reason = models.TextField()
    exchange = models.TextField()
    started_at = models.BigIntegerField()
    ended_at = models.BigIntegerField()

    class Meta:
        db_table = "store_attempt"
        indexes = [models.Index(fields=["message"], name="attempt_message")]


class Conversation(models.Model):
    """Who was last texted on a pair of numbers: a reply belongs to them."""

    address = models.CharField(max_length=254)
    sender = models.CharField(max_length=254)
    user_id = models.CharField(max_length=200, db_index=True)
    message = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "sender"], name="conversation_once")]


class Counter(models.Model):
    """How often something happened in an hour: what dashboards read, so that they are as fast with ten million rows as with ten."""

    hour = models.IntegerField()
    name = models.CharField(max_length=40)
    label = models.CharField(max_length=200)
    count = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hour", "name", "label"], name="counter_once")]


class ReplyRow(models.Model):
    """A person wrote to us. `flag` says that it reads like an opt-out, but is not a keyword that carriers act on."""

    seq = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=32, unique=True)
    adaptor = models.CharField(max_length=50)
    user_id = models.CharField(max_length=200)
    address = models.CharField(max_length=254)
    sender = models.CharField(max_length=254)
    body = models.TextField()
    consent = models.CharField(max_length=10)
    flag = models.CharField(max_length=30, db_default="")
    at = models.BigIntegerField()
    handled_at = models.BigIntegerField(null=True)
    handled_by = models.CharField(max_length=254, db_default="")

    class Meta:
        db_table = "store_reply"
        indexes = [
            models.Index(fields=["address", "seq"], name="reply_address"),
            models.Index(fields=["seq"], condition=Q(handled_at=None), name="reply_open"),
            models.Index(fields=["user_id"], name="reply_user"),
        ]


class ProviderCopy(models.Model):
    """A message whose content the provider is still to forget: its id there, and nothing else of it, since it outlives the message here.
    `tries` is how often it was asked in vain."""

    adaptor = models.CharField(max_length=50)
    provider_id = models.CharField(max_length=100)
    tries = models.IntegerField(db_default=0)
    due_at = models.BigIntegerField()

    class Meta:
        db_table = "store_copy"
        constraints = [models.UniqueConstraint(fields=["adaptor", "provider_id"], name="copy_once")]
        indexes = [models.Index(fields=["adaptor", "due_at"], name="copy_due")]

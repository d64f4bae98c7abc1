"""The store as Django sees it."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Models and migrations of oncue."""

    name = "oncue.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

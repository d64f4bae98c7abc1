"""The face as Django sees it."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Templates, static files and template filters."""

    name = "oncue.web"
    label = "web"

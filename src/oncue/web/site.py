"""Django's settings for the face, and its ASGI application.

Strict where it costs nothing: no inline script or style from anywhere, cookies that scripts cannot read, host names that are ours when
oncue is for this machine only (a page elsewhere cannot rebind its own name to it). Behind a proxy the name is whatever the proxy says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings

from oncue.web.bounds import Bounded

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

APPS = ("django.contrib.staticfiles", "django_htmx", "oncue.web.apps.WebConfig")

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

MIDDLEWARE = (
    "django.middleware.gzip.GZipMiddleware",
    "oncue.web.headers.Headers",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "oncue.web.access.Access",
    "oncue.web.faults.Unavailable",
)


def django_settings(public_url: str, host: str) -> dict[str, Any]:
    """What `store.database.configure` is given beside the database. `host` is the address that oncue listens on."""
    public = urlsplit(public_url)
    is_private = host in _LOOPBACK
    return {
        "ROOT_URLCONF": "oncue.web.urls",
        "MIDDLEWARE": list(MIDDLEWARE),
        "ALLOWED_HOSTS": [*_LOOPBACK, "[::1]", host] if is_private and not public_url else ["*"],
        "CSRF_TRUSTED_ORIGINS": [f"{public.scheme}://{public.netloc}"] if public_url else [],
        "CSRF_COOKIE_NAME": "oncue_csrf",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SECURE": public.scheme == "https",
        "CSRF_FAILURE_VIEW": "oncue.web.faults.forged",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.template.context_processors.csrf",
                        "oncue.web.layout.around",
                    ],
                    "builtins": ["django.templatetags.static", "oncue.web.templatetags.shown"],
                },
            }
        ],
        "STATIC_URL": "/static/",
        "X_FRAME_OPTIONS": "DENY",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 5_000_000,
        "APPEND_SLASH": False,
    }


def is_secure() -> bool:
    """Whether members reach oncue over TLS, so that cookies may insist on it."""
    return bool(settings.CSRF_COOKIE_SECURE)


def application() -> Any:
    """The ASGI application of the face. Django must be configured."""
    from asgiref.sync import sync_to_async
    from django.core.handlers.asgi import ASGIHandler

    class Handler(ASGIHandler):
        """All of ours is synchronous: one thread takes a request through all of it. Django would go there and back for each step."""

        def load_middleware(self, is_async: bool = False) -> None:
            super().load_middleware()

        async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
            return await sync_to_async(self.get_response)(request)

    return Bounded(Handler())


def first_segments() -> frozenset[str]:
    """With what the paths of pages begin: nothing else is served below these."""
    from oncue.web.urls import urlpatterns  # views need Django to be set up

    return frozenset(str(one.pattern).partition("/")[0] for one in urlpatterns)

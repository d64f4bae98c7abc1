"""Stylesheet, scripts and icons, ours and those that come in wheels: found by Django, packed once, kept in memory.

The libraries for this were tried: WhiteNoise warns under ASGI, and what ServeStatic streams is cut short by Django's gzip. A dozen small
files need neither.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

import msgspec
from django.contrib.staticfiles import finders
from django.core.exceptions import SuspiciousFileOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from oncue.web.access import ANYBODY, route

KEPT_FOR = 86_400
"""Seconds that a browser keeps a file; addresses carry the version, so that an upgrade is seen at once."""


class _File(msgspec.Struct, frozen=True):
    kind: str
    content: bytes
    packed: bytes
    tag: str


def static_file(request: HttpRequest, path: str) -> HttpResponseBase:
    """One file; 304 if the browser has it."""
    found = _find(path)
    if found is None:
        raise Http404
    if request.headers.get("If-None-Match") == found.tag:
        response = HttpResponse(status=304)
    else:
        is_packed = "gzip" in request.headers.get("Accept-Encoding", "") and len(found.packed) < len(found.content)
        response = HttpResponse(found.packed if is_packed else found.content, content_type=found.kind)
        if is_packed:
            response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = found.tag
    response.headers["Cache-Control"] = f"public, max-age={KEPT_FOR}"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


@lru_cache(maxsize=200)
def _find(path: str) -> _File | None:
    try:
        where = finders.find(path)
    except SuspiciousFileOperation:
        return None
    if not where or not Path(where).is_file():
        return None
    content = Path(where).read_bytes()
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    return _File(kind, content, gzip.compress(content, mtime=0), tag)


ROUTES = [route("static/<path:path>", static_file, "static_file", see=ANYBODY)]

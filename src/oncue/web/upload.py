"""A file that a member picked: read whole, up to a size, and known again when it comes a second time.

What is imported is first looked at. Nothing is kept in between: the browser sends the file again, with a digest of what was looked at.
"""

from __future__ import annotations

import hashlib

import msgspec
from django.http import HttpRequest

MOST_BYTES = 5_000_000


class Upload(msgspec.Struct, frozen=True):
    """The file's name and content."""

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """By which it is known again."""
        return hashlib.blake2b(self.content, digest_size=16).hexdigest()


def received(request: HttpRequest, field: str = "file") -> Upload | str:
    """The file, or what is wrong, in a sentence."""
    file = request.FILES.get(field)
    if file is None or isinstance(file, list):
        return "Choose a file."
    if (file.size or 0) > MOST_BYTES:
        size = f"{(file.size or 0) / 1_000_000:.1f} MB"
        return f"The file has {size}; the limit is {MOST_BYTES // 1_000_000} MB. Split it, or import it on the server: oncue users import FILE."
    return Upload((file.name or "file")[:100], file.read())


def same(request: HttpRequest, file: Upload) -> bool:
    """Whether it is the one that was looked at."""
    return request.POST.get("digest") == file.digest

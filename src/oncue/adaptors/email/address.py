"""E-mail addresses: read from what people write (`ann@example.com`, `Ann <ann@example.com>`) and put in the form that every mail server
takes. Checked by shape only: whether a mailbox exists, its server says.
"""

from __future__ import annotations

import re
import unicodedata
from email.headerregistry import Address

BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]|=\?.*\?=")
"""What some program on the way could take for the end of a header: a value with any of these could add headers of its own. So could an
encoded word: Python decodes it and, before 3.11.10 and 3.12.5, writes the line breaks within as they are (CVE-2024-6923)."""

_LONGEST = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"localhost|{_LABEL}(?:\.{_LABEL})+")
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>")


def read(text: str) -> Address | str:
    """The mailbox that a text names, its address in ASCII; or a sentence that says what is wrong with it."""
    if BREAKS.search(text):
        return f"{text[:100]!r} is not an e-mail address: it must be one line without control characters or encoded words (=?…?=)."
    text = text.strip()
    named = _NAMED.fullmatch(text)
    name, address = (named[1].strip(), named[2].strip()) if named else ("", text)
    local, _, domain = address.rpartition("@")
    if "@" in local and re.search("[,;]", address):
        return f"{text[:100]!r} is more than one e-mail address; give one."
    domain = _ascii(domain)
    if not _LOCAL.fullmatch(local) or len(local) > 64 or not _DOMAIN.fullmatch(domain):
        return _no_address(text)
    if len(local) + 1 + len(domain) > _LONGEST:
        return _no_address(text)
    return Address(_unquoted(name), local, domain)


def _ascii(domain: str) -> str:
    """The domain as `xn--…`, or empty if it is none that survives the way there and back: Python's rules, those of IDNA 2003, make
    strasse.de of straße.de, which is somebody else's."""
    domain = unicodedata.normalize("NFKC", domain).lower()
    if domain.isascii():
        return domain
    try:
        found = domain.encode("idna").decode()
        return found if found.encode().decode("idna") == domain else ""
    except UnicodeError:
        return ""


def _no_address(text: str) -> str:
    return f"{text[:100]!r} is not an e-mail address such as ann@example.com or Ann <ann@example.com>."


def _unquoted(name: str) -> str:
    if len(name) >= 2 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name

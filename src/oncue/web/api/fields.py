"""The fields that adaptors declare, as they are answered: of a configuration, and of an action."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import BaseModel, Field

from oncue.core import fields


class DeclaredField(BaseModel):
    """A field of a configuration or of an action."""

    name: str = Field(description="Its name.", examples=["smtp_url"])
    label: str = Field(description="What people call it.", examples=["SMTP URL"])
    help: str = Field(description="What it is for.", examples=["Where e-mails are handed over."])
    kind: str = Field(description="How it is read.", examples=["secret"])
    required: bool = Field(description="Whether it has to be there.", examples=[True])
    default: Any = Field(description="What holds without it; null if nothing does.", examples=[None])
    choices: list[str] = Field(description="What it may be; empty if anything.", examples=[[]])


def declared(field: fields.Field) -> dict[str, Any]:
    """The field as it is answered."""
    return {**msgspec.structs.asdict(field), "choices": list(field.choices)}

"""Users from a CSV file, as the page and `oncue users import` take them in."""

from __future__ import annotations

from django.http import HttpRequest
from pydantic import BaseModel, Field

from oncue.web import user_file
from oncue.web.api.auth import WRITE, who
from oncue.web.api.problems import wrong
from oncue.web.api.shapes import Given
from oncue.web.api.users import USERS

MOST_FAULTS = 50


class UserFile(Given):
    """Users to take in."""

    csv: str = Field(
        max_length=900_000,
        description="CSV with the column `user`, their ids; every other column is a property. An empty cell says nothing.",
        examples=["user,first_name,phone_number\nu1,Ann,+353860000001\n"],
    )
    name: str = Field(
        default="users.csv",
        min_length=1,
        max_length=100,
        description="What to call the file: where consents in it come from, and in the audit trail.",
        examples=["crm.csv"],
    )
    dry_run: bool = Field(default=False, description="True: it is only looked at.", examples=[True])


class UsersTaken(BaseModel):
    """What came of it."""

    users: int = Field(description="How many users were taken in, or would be.", examples=[120])
    still_opted_out: int = Field(
        description="How many opt-ins were left out, since the person had opted out.", examples=[0]
    )
    left_out: int = Field(description="How many lines were left out, since they are wrong.", examples=[1])
    faults: list[str] = Field(
        description=f"What is wrong with these, the first {MOST_FAULTS}.",
        examples=[["Line 7: this line does not have as many cells as the first one."]],
    )


@USERS.operation(
    "POST /user-imports",
    scope=WRITE,
    answer=UsersTaken,
    refuses={422: "It is no such file."},
    example={"csv": "user,first_name,phone_number\nu1,Ann,+353860000001\n", "name": "crm.csv", "dry_run": True},
)
def import_users(request: HttpRequest, body: UserFile) -> object:
    """Take users in from CSV

    Lines that are wrong are left out, and said. No rule is triggered, and nobody is opted in who has opted out. Twice changes nothing."""
    found = user_file.read(body.name, body.csv.encode())
    if isinstance(found, str):
        raise wrong([("csv", found)])
    done = None if body.dry_run else user_file.take_in(found, body.name, who(request))
    return {
        "users": done.users if done else len(found.users),
        "still_opted_out": done.still_opted_out if done else 0,
        "left_out": len(found.faults),
        "faults": found.faults[:MOST_FAULTS],
    }

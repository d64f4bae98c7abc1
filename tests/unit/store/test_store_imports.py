"""What a file of users may say: what any other door may."""

from __future__ import annotations

from pathlib import Path

import pytest

from inside import Inside


@pytest.mark.parametrize("name", ["", "$id", "n" * 201])
def test_a_column_that_no_door_would_keep_is_refused_line_by_line_where_it_says_something(
    inside: Inside, tmp_path: Path, name: str
):
    from oncue.store import imports

    path = tmp_path / "users.csv"
    path.write_text(f"user,email,{name}\nann,ann@example.com,\nbob,bob@example.com,x\n")
    rows, (fault,) = imports.read(path)
    assert rows == [("ann", {"email": "ann@example.com"})]
    assert fault.startswith(f"{path}:3: ") and fault.endswith(".")

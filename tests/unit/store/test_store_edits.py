"""What a member changes holds at once: for who asks next, not only from the next transaction on."""

import pytest

from inside import KEY, Inside
from oncue.store import audit, keys
from oncue.store.jobs import Edit
from oncue.store.secrets import digest


def test_a_revoked_key_is_known_no_more_when_the_answer_comes(inside: Inside):
    token = inside.do(Edit(lambda: keys.create("till")))
    assert digest(token) in inside.writer.snapshot.keys
    one = next(key.id for key in inside.writer.snapshot.keys.values() if key.name == "till")
    assert inside.do(Edit(lambda: keys.revoke(one, audit.COMMAND_LINE)))
    assert {*inside.writer.snapshot.keys} == {digest(KEY)}


def test_an_edit_that_raises_changes_nothing(inside: Inside):
    before = inside.writer.snapshot

    def fail() -> None:
        keys.create("till")
        raise keys.Taken("no")

    with pytest.raises(keys.Taken):
        inside.do(Edit(fail))
    assert inside.writer.snapshot is before
    assert [name for (name,) in inside.rows("SELECT name FROM store_apikey")] == ["shop"]

"""Another key for the saved secrets: everything is encrypted anew, and a crash on the way loses nothing."""

import hashlib
import json

import pytest

from oncue.store.secrets import Vault, WrongKey, keep, keys_in

OLD, NEW = "the old key, which is long enough to be one", "the new key, which is long enough to be one"

GOOD = "Twilio accepts the credentials"


def token(oncue) -> str:
    return oncue.query("SELECT secrets FROM store_adaptor WHERE name = 'twilio'")[0][0]


def test_the_key_is_changed_and_the_old_one_opens_nothing(start, carrier):
    oncue = start()
    (old,) = keys_in(oncue.folder / "data")
    running = oncue.run("rotate-secrets")
    assert running.returncode == 1 and "already serves" in running.stderr
    oncue.stop()
    done = oncue.run("rotate-secrets")
    assert done.returncode == 0 and "new key is in secret.key" in done.stdout, done
    (new,) = keys_in(oncue.folder / "data")
    assert new != old and (oncue.folder / "data" / "secret.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(WrongKey):
        Vault(old).open(token(oncue))
    assert Vault(new).open(token(oncue))["auth_token"] == carrier.auth_token
    oncue.start()
    assert GOOD in oncue.run("check").stdout


def test_a_swrve_app_s_key_is_kept_encrypted_and_is_encrypted_anew(start):
    oncue = start()
    value = "web_sdk-canary-of-a-swrve-app"
    assert oncue.run("key", "create", "phones", "--source", "swrve", "--app", "4567", "--value", value).returncode == 0
    oncue.stop()
    assert oncue.run("rotate-secrets").returncode == 0
    for file in (oncue.folder / "data").glob("oncue.db*"):
        assert value.encode() not in file.read_bytes()
    oncue.start()
    token = f"4567=u=1={hashlib.md5(f'u1{value}'.encode()).hexdigest()}"
    body = {"user": "u", "session_token": token, "version": 3, "data": [{"type": "event", "name": "booked"}]}
    assert oncue.call("POST", "/1/batch", json.dumps(body).encode())[0] == 200
    assert oncue.event_names("u") == ["booked"]


@pytest.mark.parametrize("encrypted_by", ["before", "new"])
def test_killed_while_the_key_is_changed_nothing_is_lost(start, carrier, encrypted_by):
    """Between its steps there are two keys, and secrets encrypted by either; oncue runs, and the change can be made again."""
    oncue = start()
    data = oncue.folder / "data"
    (old,) = keys_in(data)
    oncue.stop()
    keep(data, NEW, old)
    if encrypted_by == "new":
        oncue.run("rotate-secrets")
        (latest,) = keys_in(data)
        keep(data, OLD, latest)
    oncue.start()
    assert GOOD in oncue.run("check").stdout
    oncue.stop()
    assert oncue.run("rotate-secrets").returncode == 0
    (new,) = keys_in(data)
    assert Vault(new).open(token(oncue))["auth_token"] == carrier.auth_token


def test_a_key_of_ones_own_is_changed_by_naming_both(start, carrier):
    oncue = start()
    oncue.stop()
    (old,) = keys_in(oncue.folder / "data")
    oncue.environ["ONCUE_SECRET_KEY"] = NEW
    assert "ONCUE_SECRET_KEY_BEFORE" in oncue.run("rotate-secrets").stderr
    oncue.environ["ONCUE_SECRET_KEY_BEFORE"] = "some other key, which never was the one"
    done = oncue.run("rotate-secrets")
    assert done.returncode == 1 and "cannot be read" in done.stderr
    oncue.environ["ONCUE_SECRET_KEY_BEFORE"] = old
    assert oncue.run("rotate-secrets").returncode == 0
    del oncue.environ["ONCUE_SECRET_KEY_BEFORE"]
    assert Vault(NEW).open(token(oncue))["auth_token"] == carrier.auth_token
    oncue.start()
    assert GOOD in oncue.run("check").stdout

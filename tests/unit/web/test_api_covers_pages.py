"""Whatever a page can change, the management API can change too: each route that takes a form stands here, beside the operations that do the
same, or beside the reason why there is none. A route that is new, and stands nowhere, fails.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SAME: dict[str, tuple[str, ...]] = {
    "rules-new": ("create_rule", "save_rule_file"),
    "rules-edit": ("replace_rule", "save_rule_file"),
    "rules-state": ("set_rule_state",),
    "rules-archive": ("archive_rule", "restore_rule"),
    "rules-history": ("restore_revision",),
    "rules-preview": ("test_rule",),
    "rules-backtest": ("backtest_rule",),
    "messages-resend": ("resend_message",),
    "messages-cancel": ("cancel_message",),
    "replies-answer": ("answer_reply", "handle_conversation"),
    "replies-handled": ("handle_conversation", "change_reply"),
    "replies-opt-out": ("opt_out_conversation",),
    "users-import": ("import_users",),
    "users-one": ("change_user", "set_consent"),
    "users-forget": ("forget_user",),
    "opt_outs-add": ("add_opt_out",),
    "opt_outs-lift": ("lift_opt_out",),
    "opt_outs-import": ("import_opt_outs",),
    "adaptors-one": ("configure_adaptor",),
    "adaptors-state": ("activate_adaptor", "deactivate_adaptor"),
    "adaptors-test": ("send_message",),
    "adaptors-callbacks": ("check_callbacks",),
    "adaptors-inbound": ("point_inbound",),
    "settings-sending": ("put_policy",),
    "settings-retention": ("put_retention",),
    "settings-alerts": ("put_alerting",),
    "settings-alerts-test": ("test_alerts",),
    "settings-keys": ("create_key",),
    "settings-keys-revoke": ("revoke_key",),
    "settings-members": ("invite_member",),
    "settings-members-withdraw": ("withdraw_invitation",),
    "settings-members-one": ("change_member",),
    "settings-members-disable": ("change_member",),
    "settings-members-enable": ("change_member",),
    "settings-members-reset": ("make_password_link",),
    "settings-members-sessions": ("end_session", "end_sessions"),
}

NONE = {
    "api-operation": "It is the API.",
    "rules-form": "It draws the form again with what was typed; nothing is changed.",
    "events-send": "Events are sent to POST /v1/events, by programs as by anybody; a second door would be a second set of promises.",
    "sign_in": "It is about the person at the browser; a program has its key.",
    "sign_out": "It ends the session of the browser that asks; end_session ends any.",
    "invitation": "Its link is for a person, who chooses a password that nobody else knows.",
    "settings-account-password": "One's own password is changed by the person who knows it; make_password_link gives others a new one.",
    "settings-account-zone": "In which zone a person sees times in the pages is theirs to say.",
    "settings-account-sessions": "One's own browsers; end_session ends those of any member.",
    "simulator-send": "The simulated carrier is a process of its own, with an API of its own, which the page only speaks for.",
    "simulator-faults": "The same.",
    "simulator-pace": "The same.",
}

READ_TOO = {
    "overview": "get_overview",
    "rules": "list_rules",
    "rules-edit": "get_rule_file",
    "rules-history": "list_revisions",
    "rules-people": "list_users",
    "messages": "list_messages",
    "messages-one": "get_message",
    "replies": "list_conversations",
    "replies-one": "get_conversation",
    "events": "list_events",
    "events-names": "list_event_names",
    "events-one": "get_event",
    "users": "list_users",
    "users-one": "get_user",
    "users-export": "export_user",
    "opt_outs": "list_opt_outs",
    "opt_outs-export": "export_opt_outs",
    "adaptors": "list_adaptors",
    "adaptors-one": "get_adaptor",
    "settings-sending": "get_policy",
    "settings-retention": "get_retention",
    "settings-alerts": "get_alerting",
    "settings-keys": "list_keys",
    "settings-members": "list_members",
    "settings-members-one": "list_sessions",
    "settings-audit": "list_audit",
}
"""What a page shows, and an operation that answers it."""

SCOPE_OF = {"viewer": "read", "editor": "write", "owner": "admin"}
RANKS = ("read", "write", "admin")

LIST = """
import json
from django.conf import settings
from oncue.web import site
settings.configure(INSTALLED_APPS=["oncue.store.apps.StoreConfig", *site.APPS], **site.django_settings("", "127.0.0.1"))
import django
django.setup()
from oncue.web import urls
from oncue.web.api.openapi import document
routes = {one.name: one.callback.roles for one in urls.urlpatterns}
calls = [call for path in document()["paths"].values() for call in path.values()]
print(json.dumps([routes, {call["operationId"]: call["security"][0]["key"][0] for call in calls}]))
"""


@pytest.fixture(scope="module")
def found() -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Routes with the roles that see and change; operations with their scope."""
    done = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, timeout=60, check=True)
    routes, operations = json.loads(done.stdout.splitlines()[-1])
    return routes, operations


def test_what_a_page_can_change_the_api_can_change(found):
    routes, _ = found
    changing = {name for name, (_, change) in routes.items() if change is not None}
    assert changing - SAME.keys() - NONE.keys() == set(), (
        "name the operations that do the same, or say why there is none"
    )
    assert SAME.keys() | NONE.keys() == changing, "these routes are gone"
    assert not SAME.keys() & NONE.keys()
    assert all(NONE.values())


def test_the_operations_named_are_there_and_take_no_less_than_the_page(found):
    routes, operations = found
    for name, calls in SAME.items():
        for one in calls:
            assert RANKS.index(operations[one]) >= RANKS.index(SCOPE_OF[routes[name][1]]), (name, one)


def test_what_a_page_shows_the_api_answers_to_no_lesser_key(found):
    routes, operations = found
    for name, one in READ_TOO.items():
        assert RANKS.index(operations[one]) >= RANKS.index(SCOPE_OF[routes[name][0]]), (name, one)


def test_every_operation_that_takes_more_than_reading_is_of_a_page(found):
    _, operations = found
    named = {one for calls in SAME.values() for one in calls} | {*READ_TOO.values()}
    assert {one for one, scope in operations.items() if scope != "read"} - named == {"get_member"}

"""All resources as one program that django-ninja runs. Some have operations in more modules than one."""

from __future__ import annotations

from django.http import Http404
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from oncue import __version__
from oncue.web.api import (
    actions,
    adaptors,
    alerts,
    audit,
    conversations,
    events,
    keys,
    members,
    messages,
    opt_outs,
    overview,
    previews,
    problems,
    replies,
    rule_files,
    rule_tests,
    rules,
    settings,
    user_data,
    user_imports,
    users,
)
from oncue.web.api.bodies import Answers, Json
from oncue.web.api.operations import Resource

MORE = (conversations, previews, rule_files, user_data, user_imports)
"""Modules that add operations to resources of others."""

RESOURCES: tuple[Resource, ...] = (
    rules.RULES,
    rule_tests.RULE_TESTS,
    messages.MESSAGES,
    replies.REPLIES,
    events.EVENTS,
    users.USERS,
    opt_outs.OPT_OUTS,
    actions.ACTIONS,
    adaptors.ADAPTORS,
    keys.KEYS,
    members.MEMBERS,
    settings.SETTINGS,
    overview.OVERVIEW,
    audit.AUDIT,
    alerts.ALERTS,
)
"""In the order in which the reference shows them."""

PROGRAM = NinjaAPI(
    title="oncue", version=__version__, openapi_url=None, docs_url=None, parser=Json(), renderer=Answers()
)
for _kind in (Exception, Http404, HttpError, ValidationError):
    PROGRAM.add_exception_handler(_kind, problems.handle)  # the last three have handlers of ninja's own otherwise
for _resource in RESOURCES:
    PROGRAM.add_router("", _resource.router)

"""What needs Django's settings to be imported (models, migrations, the pages' views), for the process that all others are forked from.
Afterwards nothing is configured: each process configures itself, as it does when it is executed. And what `oncue` says of its commands is
read from their signatures once: it takes as long as all else until a process is ready. A password's hash costs a quarter of a second, as it
should; here it costs nothing."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import typer.main
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connections
from django.utils.functional import empty

from oncue.cli import app
from oncue.store import database, migrations
from oncue.web import site

database.configure(Path("nowhere"), apps=site.APPS, **site.django_settings("", ""))
for module in iter_modules(migrations.__path__, f"{migrations.__name__}."):
    import_module(module.name)
import_module("oncue.web.urls")
import_module("oncue.store.boot")
import_module("oncue.web.faults")
import_module("oncue.web.layout")
settings._wrapped = empty
connections._settings = None  # what they read of them
vars(connections).pop("settings", None)
del connections["default"]

_commands = typer.main.get_command(app)
typer.main.get_command = lambda _: _commands

Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.time_cost, Argon2PasswordHasher.parallelism = 1_024, 1, 1

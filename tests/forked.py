"""Real oncue processes, forked from one that has imported already: what a hundred tests start costs the imports once.

A process that was forked is as real as one that was executed (its own memory, its own files, killed by its own pid), but for one
thing: that `python -m oncue` starts at all, which test_commands.py looks at.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import oncue.testing
from crash_steps import arm
from fault_hooks import bear

_forks = multiprocessing.get_context("forkserver")
_IMPORTED = """
    oncue.cli oncue.adaptors.builtin oncue.adaptors.email oncue.adaptors.twilio oncue.adaptors.webhook argon2
    django.contrib.auth.hashers django.contrib.sessions.backends.base django.contrib.staticfiles.checks django.core.handlers.asgi
    django.core.management.commands.migrate django.db.backends.sqlite3.base django.db.migrations.executor django.template.backends.django
    django.db.models.sql.compiler django.template.context_processors django.template.defaulttags django.template.loaders.app_directories
    django.template.loaders.cached django.templatetags.cache django.templatetags.i18n django.templatetags.l10n django.views.debug
    django.views.generic django_htmx.middleware pydantic.json_schema pydantic.main pydantic.root_model pydantic.type_adapter typer.rich_utils
    uvicorn.lifespan.on uvicorn.loops.uvloop warmed
"""
_forks.set_forkserver_preload(_IMPORTED.split())


@cache
def _begin_forking() -> None:
    """The server of forks looks for modules where Python does by itself, which is not beside the tests."""
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path(__file__).parent), before)))
    forkserver.ensure_running()
    del os.environ["PYTHONPATH"]
    if before:
        os.environ["PYTHONPATH"] = before


HASTE = "TEST_HASTE"
"""Another: that oncue waits for slow clients for two seconds at most, and takes 30 connections."""

DIE_AT = "TEST_DIE_AT"
"""A variable of the tests' own (more are in fault_hooks.py): how many times a step is reached (see crash_steps.py) until the process kills
itself there."""


DEBUG = "TEST_DEBUG"
"""Another: log all that anything says, as a developer may while looking for a fault. Users have no such setting."""


class Process:
    """As much of `subprocess.Popen` as `oncue.testing` uses."""

    def __init__(self, forked: ForkServerProcess) -> None:
        self._forked = forked
        self.pid = forked.pid or 0

    @property
    def returncode(self) -> int | None:
        """How it ended; a signal is negative."""
        return self._forked.exitcode

    def poll(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._forked.exitcode

    def send_signal(self, number: int) -> None:
        """To it, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int:
        """How it ended, once it has."""
        self._forked.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("oncue", timeout or 0)
        return code


class Oncue(oncue.testing.Oncue):
    """Starts in a tenth of the time."""

    def begin(self, arguments: tuple[str, ...], log: Path) -> Process:  # type: ignore[override]
        """Fork, and be `oncue` with these arguments."""
        return self._fork(arguments, log, log)

    def start(self, *, may_die: bool = False) -> None:
        """Start, and wait until it is ready, or, if it may, until it has died."""
        try:
            super().start()
        except AssertionError:
            if not (may_die and self.dies_within(0)):
                raise

    def dies_within(self, seconds: float) -> bool:
        """Whether it has killed itself by then."""
        assert self._process is not None
        try:
            return self._process.wait(seconds) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def run(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run an `oncue` command on the same data directory."""
        with tempfile.TemporaryDirectory() as name:
            said, complained, given = (Path(name, one) for one in ("out", "err", "in"))
            if text is not None:
                given.write_text(text)
            process = self._fork(arguments, said, complained, given if text is not None else None)
            try:
                code = process.wait(60)
            except subprocess.TimeoutExpired:
                process.send_signal(9)
                raise
            return subprocess.CompletedProcess(arguments, code, said.read_text(), complained.read_text())

    def _fork(self, arguments: tuple[str, ...], said: Path, complained: Path, given: Path | None = None) -> Process:
        what = (arguments, self.environ, str(self.folder), str(said), str(complained), str(given or os.devnull))
        _begin_forking()
        forked = _forks.Process(target=be_oncue, args=what, daemon=True)
        forked.start()
        return Process(forked)


def be_oncue(arguments: tuple[str, ...], environ: Mapping[str, str], folder: str, *files: str) -> None:
    """In the fork: what `python -m oncue` would find, then `main`."""
    said, complained, given = files
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    for number, path in ((1, said), (2, complained)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = Path(given).open()  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["oncue", *arguments]
    if environ.get(DEBUG):
        from oncue.cli import logs

        set_up = logs.set_up
        logs.set_up = lambda kind: (set_up(kind), _say_everything())[0]
    if HASTE in environ:
        from oncue.cli import connection

        connection.HEAD_WITHIN, connection.BODY_WITHIN, connection.TAKEN_WITHIN = 1.0, 1.2, 2.0
        connection.LOOK_AFTER, connection.MOST_CONNECTIONS = 0.05, 30
    bear(environ)
    if environ.get(DIE_AT):
        time, _, step = environ[DIE_AT].partition(" ")
        arm(step, int(time))
    from oncue.cli import main

    main()


def _say_everything() -> None:
    import logging

    told = set(logging.root.manager.loggerDict) - {"django.template"}  # which oncue keeps from it
    for logger in (logging.getLogger(), *map(logging.getLogger, told)):
        logger.setLevel(logging.DEBUG)

"""The environment of most types at startup: built and imported while other services start, because both take long."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess
from typing import Final

from django.conf import settings
from renderer import EnvironmentUnusableError, HostLostError, RenderHost

from apps.visualizations.build_progress import EVERY_S, build_told
from apps.visualizations.environments import environments
from apps.visualizations.services.assets import assets_publish
from apps.visualizations.services.hosts import host_get
from vizportal.up.supervisor import Service, StartError

KEY: Final = "base"
_TICK_S: Final = 0.05


@dataclass(slots=True)
class BaseEnvironment:
    """The environment `base` during startup.

    Attributes:
        say: called with lines for the terminal.
        was_built: whether this startup had to build it.
    """

    say: Callable[[str], None]
    was_built: bool = False
    _building: ForkProcess | None = field(default=None, repr=False)
    _host: RenderHost | None = field(default=None, repr=False)

    def begin(self) -> None:
        """Starts the build in a separate process, which prints its progress; if already built, starts the host."""
        info = environments().get(KEY)
        if info.is_built and info.is_current:
            self._import()
            return
        self.was_built = True
        self.say(f"Building the environment {KEY}; this is done once ...")
        # A process instead of a thread: later services must not be forked next to a thread (supervisor.py).
        self._building = multiprocessing.get_context("fork").Process(target=self._build, name="environment")
        self._building.start()

    def _build(self) -> None:
        """Builds the environment; runs in the forked process."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        shows_progress = sys.stdout.isatty()
        try:
            with build_told(KEY, self.say, every_s=None if shows_progress else EVERY_S) as tell:
                environments().build(KEY, tell, shows_progress=shows_progress, compiles_bytecode=False)
                tell("Storing the libraries' JavaScript")
                assets_publish(settings.VIZPORTAL_ENVIRONMENTS_DIR / KEY)
        except EnvironmentUnusableError as error:
            self.say(str(error))
            sys.exit(1)

    def await_built(self, is_asked_to_stop: Callable[[], bool]) -> None:
        """Waits for the build, then makes the host import its libraries.

        Raises:
            StartError: the build failed.
        """
        if self._building is None:
            assets_publish(settings.VIZPORTAL_ENVIRONMENTS_DIR / KEY)
            return
        while self._building.is_alive() and not is_asked_to_stop():
            self._building.join(_TICK_S)
        if self._building.exitcode:
            raise StartError(f"The environment {KEY} could not be built; the lines above say why.")
        if not is_asked_to_stop():
            self.say(f"Importing the libraries of {KEY} ...")
            self._import()

    def _import(self) -> None:
        self._host = host_get(environments().get(KEY))
        try:
            self._host.stay()
        except HostLostError as error:
            # Pages and saved results work without it, and each render will report the same error.
            self.say(str(error))
            self._host = None

    def await_imported(self, most_s: float, is_asked_to_stop: Callable[[], bool]) -> None:
        """Waits until renders can start immediately, while that is possible. Renders wait for the host themselves."""
        until = time.monotonic() + most_s
        while self._host is not None and self._host.read_status() is None and not is_asked_to_stop():
            if self._host.supervisor_pid() is None:
                self.say(str(self._host.failure() or f"The environment {KEY} does not start."))
                self._host = None
            elif time.monotonic() > until:
                return
            else:
                time.sleep(_TICK_S)

    def leave(self) -> None:
        """Hands the host over to the workers, and ends an unfinished build."""
        if self._host is not None:
            self._host.leave()
        if self._building is not None and self._building.is_alive():
            self._building.terminate()
            self._building.join()

    def bytecode(self, environ: Mapping[str, str]) -> Service | None:
        """Returns a service that compiles the rest of a new environment, when nobody waits for it any more.

        Renders may not write to the environment, so each one would compile again what the host does not import.
        """
        interpreter = environments().get(KEY).interpreter
        if not self.was_built or interpreter is None:
            return None
        command = [str(interpreter), "-I", "-m", "compileall", "-q", str(interpreter.parents[1] / "lib")]
        return Service(name="bytecode", command=command, environ=environ, is_once=True, nice=19)

"""One step's process: its folders, log and interpreter, and the reason in its log when it fails."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from localkfp.places import Places
from localkfp.step_commands import StepCommand, refusal
from localkfp.step_environments import StepEnvironmentError, StepEnvironments, step_environ

_LAUNCHER: Final = Path(__file__).with_name("step_launcher.py")
_TAIL_BYTES: Final = 32_768
_LONGEST_REASON: Final = 500
_UNSAFE: Final = re.compile(r"[^a-z0-9-]+")


@dataclass(slots=True, kw_only=True)
class StepProcess:
    """The process of one step. Attempts after a retry share its log.

    Attributes:
        reason: why it failed, for people; "" if it has not failed.
    """

    pod_name: str
    output_folder: Path
    scratch: Path
    log: Path
    command: StepCommand
    environments: StepEnvironments
    reason: str = ""

    def run(self, arguments: list[str], env: Mapping[str, str]) -> int:
        """Runs the component and waits for it, with its output in the log.

        Args:
            arguments: of kfp.dsl.executor_main, without the source file; or a container's command and arguments.
            env: variables that the pipeline sets on the task.

        Returns:
            The exit code; also 1 if its packages could not be installed, or if a command needs its container.
        """
        command = self.command
        self.scratch.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            try:
                python = self.environments.interpreter(command, log)
            except StepEnvironmentError as error:
                self.reason = str(error)
                log.write(f"{error}\n".encode())
                return 1
            variables = step_environ(python, self.scratch, env)
            self.reason = "" if command.code else refusal(arguments, command.image, variables["PATH"])
            if self.reason:
                log.write(f"{self.reason}\n".encode())
                return 1
            words = self._python_call(python, command.code, arguments) if command.code else arguments
            code = self._wait(words, variables, log)
        self.reason = "" if code == 0 else self._reason(code)
        return code

    def clear(self) -> None:
        """Removes the working folder, once the files that the component wrote there are no longer needed."""
        shutil.rmtree(self.scratch, ignore_errors=True)

    @property
    def _reason_file(self) -> Path:
        return self.scratch / "reason.txt"

    def note(self, text: str) -> None:
        """Adds a line from this server to the log."""
        with self.log.open("ab") as log:
            log.write(f"{text}\n".encode())

    def _python_call(self, python: Path, code: str, arguments: list[str]) -> list[str]:
        source, call = self.scratch / "ephemeral_component.py", self.scratch / "call.json"
        source.write_text(code, encoding="utf-8")
        all_arguments = ["--component_module_path", str(source), *arguments]
        # In a file, because one argument is limited to 128 KB, which a list parameter can exceed.
        asked = {"arguments": all_arguments, "parent": os.getpid(), "reason": str(self._reason_file)}
        call.write_text(json.dumps(asked), encoding="utf-8")
        return [str(python), str(_LAUNCHER), str(call)]

    def _wait(self, command: list[str], variables: Mapping[str, str], log: IO[bytes]) -> int:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self.scratch,
            env=variables,
        ) as process:
            return process.wait()

    def _reason(self, code: int) -> str:
        if code < 0:
            return f"its process was ended by signal {-code}"
        with suppress(OSError), self._reason_file.open(encoding="utf-8", errors="replace") as file:
            if said := file.read(_LONGEST_REASON):
                return said
        with self.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _TAIL_BYTES))
            lines = log.read().decode("utf-8", "replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return last[:_LONGEST_REASON] or f"exit code {code}, and nothing in its log"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProcesses:
    """Prepares the steps of one run.

    Attributes:
        root: the folder for the run's artifacts: `<pipeline root>/<pipeline>/<run id>`.
        commands: what the containers run, by executor label; importers have none.
    """

    places: Places
    run_id: str
    job_name: str
    root: Path
    environments: StepEnvironments
    commands: Mapping[str, StepCommand] = field(default_factory=dict)

    def prepare(self, task_name: str, executor_label: str) -> StepProcess:
        """Returns a step that is ready to run, with its own folders and log."""
        mark = uuid.uuid4()
        pod_name = f"{self.job_name}-system-container-impl-{secrets.randbelow(10**10):010d}"
        log = self.places.log(self.run_id, pod_name)
        log.parent.mkdir(parents=True, exist_ok=True)
        output_folder = self.root / task_name / str(mark)
        output_folder.mkdir(parents=True, exist_ok=True)
        return StepProcess(
            pod_name=pod_name,
            output_folder=output_folder,
            scratch=self.places.run(self.run_id) / "work" / mark.hex,
            log=log,
            command=self.commands.get(executor_label, StepCommand()),
            environments=self.environments,
        )


def job_name(pipeline_name: str, run_id: str) -> str:
    """Returns a run's name in Argo's style: the pipeline's name and five characters."""
    slug = _UNSAFE.sub("-", pipeline_name.lower()).strip("-")[:40] or "pipeline"
    return f"{slug}-{run_id.replace('-', '')[:5]}"

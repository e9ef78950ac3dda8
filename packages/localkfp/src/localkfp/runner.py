"""The process of one run: `python -m localkfp.runner DATA_DIR RUN_ID STEPS_PYTHON PARENT_PID`.

Started by the server's scheduler. It writes to the store as it goes; its end is a state of the run, not an exit code.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localkfp import kfp_hooks, recorder, run_state, specs
from localkfp.observer import RunObserver
from localkfp.places import DEFAULT_ROOT, Places
from localkfp.recorder import Recorder
from localkfp.step_commands import StepCommand, parse_command
from localkfp.step_environments import StepEnvironments
from localkfp.step_launcher import die_with
from localkfp.step_process import StepProcesses, job_name
from localkfp.store import Row, Store

_MOST_FAILURES = 20
_log = logging.getLogger(__name__)


def main() -> None:
    """Runs one run to its end and writes that end."""
    data_dir, run_id, steps_python, parent = sys.argv[1:]
    die_with(int(parent))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # kfp.local warns of images and settings it ignores, for every task.
    warnings.simplefilter("ignore")
    places = Places(root=Path(data_dir))
    store = Store(path=places.database)
    try:
        error = _run(store, places, run_id, Path(steps_python))
    except Exception as failure:  # noqa: BLE001 - the edge of a run; it is logged
        _log.exception("The run ended with an exception")
        error = f"the pipeline could not be run: {type(failure).__name__}: {failure}"
    state = run_state.FAILED if error else run_state.SUCCEEDED
    run_state.change(store, run_id, state, from_states=(run_state.RUNNING,), error=error)


def _run(store: Store, places: Places, run_id: str, steps_python: Path) -> str:
    """Returns what went wrong, "" for nothing."""
    row = store.one("SELECT * FROM runs WHERE id = ?", run_id)
    if row is None:
        return "the run was deleted"
    raw = specs.pipeline_spec(json.loads(row["spec"]))
    spec = kfp_hooks.parse_spec(raw)
    executors = kfp_hooks.executors_of(spec)
    processes = _processes(places, row, spec.pipeline_info.name, steps_python, _commands(executors))
    parameters = specs.with_defaults(raw, json.loads(row["parameters"]))
    record = Recorder(store=store, run_id=run_id)
    root_id = record.start(recorder.DAG, inputs=parameters)
    observer = RunObserver(record, processes, spec, root_id)
    _outputs, status = kfp_hooks.run_graph(
        spec,
        executors,
        parameters,
        observer,
        run_id=run_id,
        job_name=processes.job_name,
        root=str(places.run(run_id)),
    )
    if status is kfp_hooks.SUCCESS:
        return ""
    return "\n".join(observer.failures[:_MOST_FAILURES]) or "a step failed"


def _processes(
    places: Places, row: Row, pipeline: str, steps_python: Path, commands: Mapping[str, StepCommand]
) -> StepProcesses:
    wanted = row["pipeline_root"].rstrip("/")
    root = places.path_of(wanted) if wanted else None
    if wanted and root is None:
        _log.warning("pipeline root %s is no minio:// location: using %s", wanted, DEFAULT_ROOT)
    root = root or places.path_of(DEFAULT_ROOT)
    if root is None:
        raise RuntimeError(f"{DEFAULT_ROOT} leads out of the data directory")
    return StepProcesses(
        places=places,
        run_id=row["id"],
        job_name=job_name(pipeline, row["id"]),
        root=root / (pipeline or "pipeline") / row["id"],
        environments=StepEnvironments(python=steps_python, folder=places.step_environments),
        commands=commands,
    )


def _commands(executors: Mapping[str, Any]) -> dict[str, StepCommand]:
    """Takes what containers run out of the executors; lightweight components lose their shell by it."""
    commands: dict[str, StepCommand] = {}
    for label, executor in executors.items():
        if executor.WhichOneof("spec") != "container":
            continue
        command = parse_command(list(executor.container.command))
        if command is None:
            commands[label] = StepCommand(image=executor.container.image)
            kfp_hooks.mark_as_command(executor)
        else:
            commands[label] = command
            kfp_hooks.mark_as_python(executor)
    return commands


if __name__ == "__main__":
    main()

"""Pipelines for the tests, and helpers that run them and wait for them."""

# A component is one self-contained function.
# ruff: noqa: PTH110, PTH123

import warnings

from packages.localkfp.tests.lineage_reader import read_steps

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from kfp import dsl

PYTHON = "python:3.11"
TIMEOUT_S = 120


@dsl.component(base_image=PYTHON)
def make(count: int, text: str, out: dsl.Output[dsl.Dataset]) -> str:
    import os

    out.uri += ".csv"
    out.metadata["rows"] = count
    with open(out.path, "w") as file:
        file.write("n\n" + "".join(f"{n}\n" for n in range(count)))
    print("secrets:", [name for name in os.environ if "VIZPORTAL" in name or "DJANGO" in name])
    return text * 2


@dsl.component(base_image=PYTHON)
def add(rows: dsl.Input[dsl.Dataset], word: str, scores: dsl.Output[dsl.Metrics]) -> int:
    with open(rows.path) as file:
        total = sum(map(int, file.read().split()[1:]))
    scores.log_metric("total", total)
    print(f"adding {word}")
    return total


@dsl.component(base_image=PYTHON)
def check(total: int, wanted: int):
    if total != wanted:
        raise ValueError(f"{total} is not {wanted}")


@dsl.component(base_image=PYTHON)
def double(n: int) -> int:
    return 2 * n


@dsl.component(base_image=PYTHON)
def wait_for(path: str):
    import os
    import time

    print("waiting", flush=True)
    with open(path + ".pid", "w") as file:
        file.write(str(os.getpid()))
    while not os.path.exists(path):
        time.sleep(0.05)


@dsl.component(base_image=PYTHON)
def produce(text: str, out: dsl.Output[dsl.Dataset]):
    with open(out.path, "w") as file:
        file.write(text)


@dsl.component(base_image=PYTHON)
def read(data: dsl.Input[dsl.Dataset]):
    with open(data.path) as file:
        print("read:", file.read())


@dsl.pipeline(name="three-steps")
def three_steps(wanted: int = 6, count: int = 4, text: str = "python3 "):
    made = make(count=count, text=text)
    added = add(rows=made.outputs["out"], word=made.outputs["Output"])
    check(total=added.outputs["Output"], wanted=wanted)


@dsl.pipeline(name="waiting")
def waiting(path: str):
    wait_for(path=path)


def finished(client, run_id):
    return client.wait_for_run_completion(run_id, timeout=TIMEOUT_S, sleep_duration=1)


def run_it(client, localkfp, pipeline, arguments=None):
    """Runs a pipeline and returns the run and the newest step of each task, by task name."""
    made = client.create_run_from_pipeline_func(pipeline, arguments=arguments or {})
    return finished(client, made.run_id), by_task(read_steps(localkfp, made.run_id))


def by_task(steps):
    return {step["task_name"]: step for step in steps}


def read_text(path):
    return path.read_text() if path.exists() else ""


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

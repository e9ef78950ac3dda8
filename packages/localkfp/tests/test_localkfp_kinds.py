"""Run the kinds of pipelines that people compile. Unsupported ones are refused with a message."""

# A component is one self-contained function.
# ruff: noqa: PTH123, B006

import warnings

import pytest

from packages.localkfp.tests.lineage_reader import read_artifact, read_log, read_steps

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from kfp import dsl
    from running import PYTHON, check, finished, produce, read, run_it

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]


@dsl.component(base_image=PYTHON)
def show(value: list, other: dict, ratio: float, maybe: str = "default"):
    print(f"shown: {value!r} {other!r} {ratio!r} {maybe!r}")


def test_integers_in_lists_and_objects_stay_integers(client, localkfp):
    @dsl.pipeline(name="numbers")
    def numbers(items: list = [1, 2.5, {"n": 3}], more: dict = {"a": [4]}, ratio: float = 1.0):
        show(value=items, other=more, ratio=ratio)

    run, steps = run_it(client, localkfp, numbers)
    assert run.state == "SUCCEEDED", run.error
    log = read_log(localkfp, run.run_id, steps["show"])
    assert "shown: [1, 2.5, {'n': 3}] {'a': [4]} 1.0 'default'" in log
    assert "executor_input" not in log, "kfp's own notes stand before the user's lines"


def test_container_command_runs_if_its_program_is_installed(client, localkfp):
    @dsl.container_component
    def shell(text: str, length: dsl.OutputPath(int), out: dsl.Output[dsl.Dataset]):
        script = 'printf %s "$0" > "$2" && printf %s "${#0}" > "$1" && echo written'
        return dsl.ContainerSpec(image="alpine:3", command=["sh", "-c", script], args=[text, length, out.path])

    @dsl.pipeline(name="contained")
    def contained():
        made = shell(text="hello")
        read(data=made.outputs["out"])
        check(total=made.outputs["length"], wanted=5)

    run, steps = run_it(client, localkfp, contained)
    assert run.state == "SUCCEEDED", run.error
    assert "written" in read_log(localkfp, run.run_id, steps["shell"])
    assert "read: hello" in read_log(localkfp, run.run_id, steps["read"])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["no-such-program", "x"], "'no-such-program' of its image acme/tool:1"),
        ([], "whatever its image acme/tool:1 starts by itself"),
        (["python3", "-m", "kfp.dsl.executor_main"], "Python code is in its image acme/tool:1"),
    ],
)
def test_step_that_needs_its_container_fails_with_one_sentence(client, localkfp, command, said):
    @dsl.container_component
    def tool():
        return dsl.ContainerSpec(image="acme/tool:1", command=command, args=[])

    @dsl.pipeline(name="tools")
    def tools():
        tool()

    run, steps = run_it(client, localkfp, tools)
    assert run.state == "FAILED"
    assert run.error.message.startswith("step tool failed: it runs ") or "Python code" in run.error.message
    assert said in run.error.message
    assert said in read_log(localkfp, run.run_id, steps["tool"])


def test_each_attempt_of_a_step_has_its_own_execution_and_log(client, localkfp, tmp_path):
    @dsl.component(base_image=PYTHON)
    def flaky(path: str):
        import pathlib

        tries = len(list(pathlib.Path(path).iterdir()))
        with open(f"{path}/{tries}", "w"):
            print("attempt", tries)
        if tries < 2:
            raise ValueError(f"not yet: {tries}")

    @dsl.pipeline(name="retried")
    def retried(path: str):
        flaky(path=path).set_retry(num_retries=3, backoff_duration="0s")

    made = client.create_run_from_pipeline_func(retried, arguments={"path": str(tmp_path)})
    assert finished(client, made.run_id).state == "SUCCEEDED"
    attempts = [step for step in read_steps(localkfp, made.run_id) if step.get("task_name") == "flaky"]
    assert [step["state"] for step in attempts] == ["FAILED", "FAILED", "COMPLETE"]
    assert len({step["pod_name"] for step in attempts}) == 3
    for number, step in enumerate(attempts):
        log = read_log(localkfp, made.run_id, step)
        assert f"attempt {number}" in log
        assert f"attempt {number + 1}" not in log


def test_run_error_names_every_failed_step_with_its_reason(client, localkfp):
    @dsl.component(base_image=PYTHON)
    def fit():
        import sys

        print("}")
        sys.exit(3)

    @dsl.component(base_image=PYTHON)
    def refit():
        raise ValueError("bad\ndata")

    @dsl.pipeline(name="both")
    def both():
        fit()
        refit()

    run, _ = run_it(client, localkfp, both)
    assert set(run.error.message.splitlines()) == {
        "step fit failed: it ended itself with exit code 3",
        "step refit failed: ValueError: bad data",
    }


def test_importer_of_a_local_file_is_recorded_as_in_kubeflow(client, localkfp, tmp_path):
    (tmp_path / "rows.csv").write_text("a\n1\n")

    @dsl.pipeline(name="imported")
    def imported(uri: str):
        source = dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset).set_display_name("Load rows")
        read(data=source.output)

    run, steps = run_it(client, localkfp, imported, {"uri": f"file://{tmp_path}/rows.csv"})
    assert run.state == "SUCCEEDED", run.error
    assert "read: a" in read_log(localkfp, run.run_id, steps["read"])
    loaded = steps["Load rows"]
    assert (loaded["kind"], loaded.get("display_name", "")) == ("ImporterExecution", "")
    assert loaded["artifacts"][0][2].uri == f"file://{tmp_path}/rows.csv"


def test_oneof_and_collected_artifacts(client, localkfp):
    @dsl.component(base_image=PYTHON)
    def read_all(data: dsl.Input[list[dsl.Dataset]]):
        import pathlib

        print("all:", sorted(pathlib.Path(item.path).read_text() for item in data))

    @dsl.pipeline(name="gathered")
    def gathered(which: str = "b"):
        with dsl.If(which == "a"):
            one = produce(text="A")
        with dsl.Else():
            two = produce(text="B")
        read(data=dsl.OneOf(one.outputs["out"], two.outputs["out"]))
        with dsl.ParallelFor(["x", "y"]) as item:
            many = produce(text=item)
        read_all(data=dsl.Collected(many.outputs["out"]))

    run, steps = run_it(client, localkfp, gathered)
    assert run.state == "SUCCEEDED", run.error
    assert "read: B" in read_log(localkfp, run.run_id, steps["read"])
    assert "all: ['x', 'y']" in read_log(localkfp, run.run_id, steps["read-all"])


def test_condition_on_an_output_of_the_same_iteration(client, localkfp):
    @dsl.component(base_image=PYTHON)
    def double(n: int) -> int:
        return 2 * n

    @dsl.pipeline(name="decided")
    def decided():
        with dsl.ParallelFor([1, 2]) as item:
            doubled = double(n=item)
            with dsl.If(doubled.output == 4):
                check(total=doubled.output, wanted=4)

    run, _ = run_it(client, localkfp, decided)
    assert run.state == "SUCCEEDED", run.error


def test_loop_over_an_empty_list(client, localkfp):
    @dsl.pipeline(name="nothing")
    def nothing(items: list = []):
        with dsl.ParallelFor(items) as item:
            check(total=item, wanted=1)

    run, steps = run_it(client, localkfp, nothing)
    assert run.state == "SUCCEEDED", run.error
    (loop,) = [step for name, step in steps.items() if name.startswith("for-loop")]
    assert loop["iteration_count"] == 0


def test_folder_archive_has_relative_names(client, localkfp):
    import io
    import tarfile

    @dsl.component(base_image=PYTHON)
    def fold(stats: dsl.Output[dsl.Artifact]):
        import pathlib

        folder = pathlib.Path(stats.path) / "Split-train"
        folder.mkdir(parents=True)
        (folder / "rows.csv").write_text("a\n")

    @dsl.pipeline(name="folded")
    def folded():
        fold()

    _, steps = run_it(client, localkfp, folded)
    answer = read_artifact(localkfp, steps["fold"]["artifacts"][0][2].uri)
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as archive:
        assert sorted(archive.getnames()) == ["Split-train", "Split-train/rows.csv"]

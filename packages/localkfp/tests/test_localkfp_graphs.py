"""Run graphs of kfp's compiler and check the inputs that tasks get from each other, or by default."""

# A component is one self-contained function, and kfp reads `text: str = None` as optional.
# ruff: noqa: B006, PTH123, RUF013

import warnings

import pytest
import yaml

from packages.localkfp.tests.lineage_reader import read_log, read_steps

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from kfp import compiler, dsl
    from running import PYTHON, by_task, check, double, finished, produce, read, run_it


pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]


@dsl.component(base_image=PYTHON)
def add(numbers: list) -> int:
    print("numbers:", numbers)
    return sum(numbers)


@dsl.component(base_image=PYTHON)
def say(text: str = "nothing", other: str = None):
    print(f"said: {text!r} {other!r}")


def test_collected_omits_skipped_iterations_and_flattens_nested_loops(client, localkfp):
    @dsl.pipeline(name="collected")
    def collected(least: int = 2):
        with dsl.ParallelFor([1, 2, 3]) as n, dsl.If(n >= least):
            some = double(n=n)
        check(total=add(numbers=dsl.Collected(some.output)).output, wanted=4 + 6)
        with dsl.ParallelFor([1, 2]), dsl.ParallelFor([10, 20]) as inner:
            every = double(n=inner)
        check(total=add(numbers=dsl.Collected(every.output)).output, wanted=2 * (20 + 40))

    run, steps = run_it(client, localkfp, collected)
    assert run.state == "SUCCEEDED", run.error
    assert "numbers: [20, 40, 20, 40]" in read_log(localkfp, run.run_id, steps["add-2"])


def test_empty_collected_artifacts_and_custom_artifact_path(client, localkfp):
    @dsl.component(base_image=PYTHON)
    def elsewhere(out: dsl.Output[dsl.Dataset]):
        out.custom_path = "own.txt"
        with open("own.txt", "w") as file:
            file.write("own place")

    @dsl.component(base_image=PYTHON)
    def count(data: dsl.Input[list[dsl.Dataset]]):
        # kfp gives None for a list without artifacts.
        print("count:", data)

    @dsl.pipeline(name="none")
    def none(items: list[str] = []):
        with dsl.ParallelFor(items) as item:
            made = produce(text=item)
        count(data=dsl.Collected(made.outputs["out"]))
        read(data=elsewhere().outputs["out"])

    run, steps = run_it(client, localkfp, none)
    assert run.state == "SUCCEEDED", run.error
    assert "count: None" in read_log(localkfp, run.run_id, steps["count"])
    assert "read: own place" in read_log(localkfp, run.run_id, steps["read"])


def test_inner_loop_over_the_same_list_as_the_outer_loop(client, localkfp):
    @dsl.pipeline(name="again")
    def again(items: list[int] = [1, 2]):
        with dsl.ParallelFor(items) as outer:
            say(text=f"{outer}")
            with dsl.ParallelFor(items) as inner:
                check(total=inner, wanted=inner)

    run, _ = run_it(client, localkfp, again)
    assert run.state == "SUCCEEDED", run.error
    turns = [step for step in read_steps(localkfp, run.run_id) if "iteration_index" in step]
    assert len(turns) == 2 + 2 * 2
    assert not any("pipelinechannel--items" in (step.get("inputs") or {}) for step in turns)


def test_inner_loop_over_a_field_of_the_outer_item(client, localkfp):
    @dsl.component(base_image=PYTHON)
    def people() -> list:
        return [{"who": "Ann", "pets": [{"kind": "cat"}]}, {"who": "Bo", "pets": [{"kind": "dog"}, {"kind": "emu"}]}]

    @dsl.pipeline(name="parts")
    def parts():
        with dsl.ParallelFor(people().output) as person, dsl.ParallelFor(person.pets) as pet:
            say(text=pet.kind, other=person.who)

    made = client.create_run_from_pipeline_func(parts)
    run = finished(client, made.run_id)
    assert run.state == "SUCCEEDED", run.error
    spoken = [step for step in read_steps(localkfp, made.run_id) if step.get("task_name") == "say"]
    logs = "".join(read_log(localkfp, made.run_id, step) for step in spoken)
    assert sorted(line for line in logs.splitlines() if line.startswith("said:")) == [
        "said: 'cat' 'Ann'",
        "said: 'dog' 'Bo'",
        "said: 'emu' 'Bo'",
    ]


def test_task_after_a_skipped_branch_is_skipped(client, localkfp, tmp_path):
    @dsl.pipeline(name="branches")
    def branches(word: str = 'it\'s "b"'):
        with dsl.If(word == "a"):
            double(n=1)
        say(text="never")
        with dsl.If(word != "a"):
            say(text="always")

    # kfp's compiler refuses to write this dependency, but other compilers and people may write it.
    package = tmp_path / "p.yaml"
    compiler.Compiler().compile(branches, str(package))
    spec = yaml.safe_load(package.read_text())
    spec["root"]["dag"]["tasks"]["say"]["dependentTasks"] = ["condition-1"]
    package.write_text(yaml.safe_dump(spec))

    made = client.create_run_from_pipeline_package(str(package))
    run = finished(client, made.run_id)
    assert run.state == "SUCCEEDED", run.error
    steps = by_task(read_steps(localkfp, made.run_id))
    assert {name: step["state"] for name, step in steps.items() if step["kind"] == "ContainerExecution"} == {
        "say-2": "COMPLETE"
    }
    assert [steps[name]["state"] for name in ("condition-1", "condition-2")] == ["CANCELED", "COMPLETE"]


def test_omitted_optional_inputs_use_their_defaults(client, localkfp):
    @dsl.component(base_image=PYTHON)
    def maybe(data: dsl.Input[dsl.Dataset] = None, text: str = "left out"):
        print("got:", data, text)

    @dsl.pipeline(name="inner")
    def inner(text: str = None, data: dsl.Input[dsl.Dataset] = None, word: str = "default"):
        maybe(data=data, text=text)
        say(text=word)

    @dsl.pipeline(name="outer")
    def outer(text: str = None):
        inner(text=text)

    made = client.create_run_from_pipeline_func(outer)
    run = finished(client, made.run_id)
    assert run.state == "SUCCEEDED", run.error
    steps = by_task(read_steps(localkfp, made.run_id))
    assert "got: None left out" in read_log(localkfp, made.run_id, steps["maybe"])
    assert "said: 'default' None" in read_log(localkfp, made.run_id, steps["say"])


def test_placeholders_in_commands_and_constants(client, localkfp):
    @dsl.container_component
    def echo(text: str, data: dsl.Input[dsl.Dataset], left_out: str = None):
        return dsl.ContainerSpec(
            image="alpine:3",
            command=["sh", "-c", 'for word in "$@"; do echo "<$word>"; done', "sh"],
            args=[
                dsl.ConcatPlaceholder(["a", text, "=", "b"]),
                dsl.IfPresentPlaceholder(input_name="left_out", then=["--given", left_out], else_=["--left-out"]),
                dsl.IfPresentPlaceholder(input_name="text", then=["--text", text]),
                f"before {text} after",
                data.uri,
                "{{$.pipeline_task_name}}",
            ],
        )

    @dsl.pipeline(name="placed")
    def placed(word: str = "w"):
        made = produce(text="x")
        echo(text="{{$}}", data=made.outputs["out"])
        say(text=f"{word}-{made.name}", other=dsl.PIPELINE_JOB_ID_PLACEHOLDER)

    run, steps = run_it(client, localkfp, placed)
    assert run.state == "SUCCEEDED", run.error
    words = [line for line in read_log(localkfp, run.run_id, steps["echo"]).splitlines() if line.startswith("<")]
    # A parameter's text is user data, even if it looks like a placeholder.
    assert words[:5] == ["<a{{$}}=b>", "<--left-out>", "<--text>", "<{{$}}>", "<before {{$}} after>"]
    assert words[5].endswith("/out>")
    assert words[6] == "<echo>"
    assert f"said: 'w-produce' '{run.run_id}'" in read_log(localkfp, run.run_id, steps["say"])


def test_exit_task_gets_the_final_status_and_defaults_for_failed_inputs(client, localkfp):
    @dsl.component(base_image=PYTHON)
    def fail() -> str:
        raise ValueError("on purpose")

    @dsl.component(base_image=PYTHON)
    def report(status: dsl.PipelineTaskFinalStatus):
        print("status:", status.state, status.pipeline_task_name)

    @dsl.component(base_image=PYTHON)
    def shout(text: str = "nothing"):
        print("shouted:", text)

    @dsl.pipeline(name="exits")
    def exits():
        with dsl.ExitHandler(report()):
            fail()
        shout(text=fail().output).ignore_upstream_failure()

    run, steps = run_it(client, localkfp, exits)
    assert run.state == "FAILED"
    assert set(run.error.message.splitlines()) == {
        "step fail failed: ValueError: on purpose",
        "step fail-2 failed: ValueError: on purpose",
    }
    assert "status: FAILED exit-handler-1" in read_log(localkfp, run.run_id, steps["report"])
    assert "shouted: nothing" in read_log(localkfp, run.run_id, steps["shout"])

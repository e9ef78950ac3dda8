"""Pipelines that cannot run, or that run without features of a cluster, say so."""

# A component is one self-contained function, and kfp reads `text: str = None` as optional.
# ruff: noqa: B006, PTH123, RUF013

import warnings

import pytest
import yaml

from packages.localkfp.tests.lineage_reader import read_log, read_steps

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import kfp
    from kfp import compiler, dsl
    from running import PYTHON, by_task, double, finished, read, run_it

from tests.servers import localkfp_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]


@dsl.component(base_image=PYTHON)
def say(text: str = "nothing", other: str = None):
    print(f"said: {text!r} {other!r}")


@dsl.component(base_image=PYTHON)
def wants_status(status: dsl.PipelineTaskFinalStatus):
    print(status)


@dsl.pipeline(name="artifact-of-the-run")
def artifact_of_the_run(data: dsl.Input[dsl.Dataset]):
    read(data=data)


@dsl.pipeline(name="untyped-items")
def untyped_items(items: list = [1]):
    with dsl.ParallelFor(items) as item:
        double(n=item)


@dsl.pipeline(name="no-list")
def no_list(items: list = [{"a": "abc"}]):
    with dsl.ParallelFor(items) as item, dsl.ParallelFor(item.a) as part:
        say(text=part)


@dsl.container_component
def script():
    return dsl.ContainerSpec(image="acme/tool:1", command=["sh", "run.sh"])


@dsl.pipeline(name="scripts")
def scripts():
    script()


@pytest.mark.parametrize(
    ("pipeline", "said"),
    [
        (
            artifact_of_the_run,
            (
                "step read failed: its input 'data' is an artifact that the run would have to be given,"
                " and runs take parameters only: load it with dsl.importer"
            ),
        ),
        (
            untyped_items,
            (
                "step double failed: its input 'n' must be a number, and is \"1\": items of a list without an item type"
                " are text, so declare list[int] or the like"
            ),
        ),
        (no_list, "step for-loop-2 failed: it loops over 'items-loop-item-subvar-a', which is not a list: abc"),
        (
            wants_status,
            (
                "step wants-status failed: its input 'status' is a status that only the exit task of a dsl.ExitHandler"
                " is given"
            ),
        ),
        (
            scripts,
            (
                "step script failed: it runs 'run.sh' of its image acme/tool:1, which this machine does not have,"
                " and there are no containers here"
            ),
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_unsupported_pipeline_fails_with_one_sentence(client, localkfp, pipeline, said):
    run, _ = run_it(client, localkfp, pipeline)
    assert (run.state, run.error.message) == ("FAILED", said)


LOOK_ON_KUBERNETES = {
    "podMetadata": {"labels": {"team": "red"}},
    "fieldPathAsEnv": [
        {"name": "TASK_LABEL", "fieldPath": "metadata.labels['team']"},
        {"name": "POD", "fieldPath": "metadata.name"},
    ],
    "secretAsEnv": [
        {
            "secretNameParameter": {"runtimeValue": {"constant": "vault"}},
            "keyToEnv": [
                {"secretKey": "password", "envVar": "PASSWORD"},
                {"secretKey": "user", "envVar": "USER_NAME"},
            ],
        }
    ],
    "configMapAsEnv": [
        {"configMapName": "c", "optional": True, "keyToEnv": [{"configMapKey": "k", "envVar": "SETTING"}]}
    ],
    "pvcMount": [{"mountPath": "/data", "pvcNameParameter": {"runtimeValue": {"constant": "claim"}}}],
}


@dsl.component(base_image=PYTHON)
def look():
    import os

    print("seen:", os.environ["TASK_LABEL"], os.environ["POD"], os.environ["PASSWORD"], os.environ.get("SETTING"))
    open("/data/no-such-volume").close()


@dsl.pipeline(name="platforms")
def platforms():
    look()


def test_kubernetes_variables_are_set_and_volumes_are_reported(tmp_path, monkeypatch):
    package, data_dir = tmp_path / "p.yaml", tmp_path / "data"
    compiler.Compiler().compile(platforms, str(package))
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"exec-look": LOOK_ON_KUBERNETES}}}}}
    package.write_text(f"{package.read_text()}\n---\n{yaml.safe_dump(platform)}")
    (data_dir / "secrets/vault").mkdir(parents=True)
    (data_dir / "secrets/vault/password").write_text("s3cret\n")

    monkeypatch.setenv("HOME", str(tmp_path))
    with localkfp_server(data_dir) as host:
        client = kfp.Client(host=host)
        made = client.create_run_from_pipeline_package(str(package))
        run = finished(client, made.run_id)
        steps = by_task(read_steps(host, made.run_id))
        log = read_log(host, made.run_id, steps["look"])
    assert f"seen: red {steps['look']['pod_name']} s3cret None" in log
    assert run.error.message.split("; ") == [
        "step look failed: FileNotFoundError: [Errno 2] No such file or directory: '/data/no-such-volume'",
        "its variable USER_NAME is not set: put it into secrets/vault/user of the data directory",
        "its volume /data (a volume claim) is not mounted here",
    ]

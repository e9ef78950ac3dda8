"""Every task and every edge of compiled KFP 2 pipelines and KFP 1.x workflows is drawn.

The expected values are counted from the compiled file by independent code. (kfp reads annotations as objects, so this
module has no future import.)
"""

import json
import re

import pytest
import yaml
from bs4 import BeautifulSoup
from kfp import compiler, dsl

from apps.runs import graph


@dsl.component(base_image="python:3.11")
def make(text: str = "a") -> str:
    return text


@dsl.component(base_image="python:3.11")
def many() -> list:
    return [1, 2]


@dsl.component(base_image="python:3.11")
def write(rows: dsl.Output[dsl.Dataset], text: str = ""):
    pass


@dsl.component(base_image="python:3.11")
def fit(rows: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    pass


@dsl.component(base_image="python:3.11")
def join(texts: list):
    pass


@dsl.component(base_image="python:3.11")
def compare(models: dsl.Input[list[dsl.Model]]):
    pass


@dsl.component(base_image="python:3.11")
def score(model: dsl.Input[dsl.Model]):
    pass


@dsl.pipeline(name="inner")
def inner(text: str, rows: dsl.Input[dsl.Dataset]) -> dsl.Model:
    first = make(text=text)
    return fit(rows=rows).after(first).outputs["model"]


@dsl.pipeline(name="nested-loops")
def nested_loops(words: list):
    numbers = many()
    with dsl.ParallelFor(numbers.output) as number, dsl.ParallelFor(words) as word:
        first = make(text=word)
        second = make(text=first.output)
        second.set_display_name(f"second {number}")
    join(texts=dsl.Collected(second.output))


@dsl.pipeline(name="branches")
def branches(text: str = "a"):
    coin = make(text=text)
    with dsl.If(coin.output == "a"):
        one = make(text="one")
    with dsl.Elif(coin.output == "b"):
        with dsl.If(text == "c"):
            make(text="deep")
        two = make(text="two")
    with dsl.Else():
        three = make(text="three")
    make(text=dsl.OneOf(one.output, two.output, three.output))


@dsl.pipeline(name="exit")
def exits():
    last = make(text="last")
    with dsl.ExitHandler(last, name="guarded"):
        first = make()
        make(text=first.output)


@dsl.pipeline(name="artifacts")
def artifacts():
    label = dsl.importer(artifact_uri="s3://b/labels.csv", artifact_class=dsl.Dataset, reimport=False)
    rows = write()
    made = inner(text="x", rows=rows.outputs["rows"])
    with dsl.ParallelFor([1, 2]):
        looped = inner(text="y", rows=label.output)
    compare(models=dsl.Collected(looped.output))
    score(model=made.output)
    fit(rows=label.output).after(made)


def compiled(pipeline, tmp_path):
    path = tmp_path / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(path))
    return next(yaml.safe_load_all(path.read_text()))


def counted(spec):
    """Returns every task by its path, and (from, to) for each dependency of a task."""
    nodes, edges = set(), set()

    def walk(component, prefix):
        for name, body in component.get("dag", {}).get("tasks", {}).items():
            nodes.add(prefix + name)
            before = set(body.get("dependentTasks", [])) | set(
                re.findall(r'"producerTask": "([^"]+)"', json.dumps(body))
            )
            edges.update((prefix + each, prefix + name) for each in before)
            walk(spec["components"][body["componentRef"]["name"]], f"{prefix}{name}.")

    walk(spec["root"], "")
    return nodes, edges


def drawn(page):
    nodes = [node["id"].removeprefix("node-") for node in page.select("svg[data-graph] [data-node]")]
    edges = [(line["data-from"], line["data-to"]) for line in page.select("svg[data-graph] .edge")]
    return sorted(nodes), sorted(edges)


@pytest.mark.parametrize("pipeline", [nested_loops, branches, exits, artifacts], ids=lambda each: each.name)
def test_every_task_and_edge_of_a_compiled_pipeline_is_drawn(pipeline, tmp_path, client, kubeflow):
    spec = compiled(pipeline, tmp_path)
    kubeflow.versions[0]["pipeline_spec"] = spec
    nodes, edges = counted(spec)
    assert len(nodes) > 3
    assert edges
    page = BeautifulSoup(client.get("/pipelines/p1/versions/v1/").content, "html.parser")
    assert drawn(page) == (sorted(nodes), sorted(edges))
    listed = BeautifulSoup(client.get("/pipelines/p1/versions/v1/?view=steps").content, "html.parser")
    assert {node["id"].removeprefix("node-") for node in listed.select("tr [data-node]")} == nodes
    newest = BeautifulSoup(client.get("/pipelines/p1/").content, "html.parser")
    assert drawn(newest) == (sorted(nodes), sorted(edges))


def test_closed_frames_keep_their_edges(tmp_path):
    spec = compiled(nested_loops, tmp_path)
    closed = graph.draw(graph.spec_steps(spec), graph.GraphViewState(frames="closed"))
    assert len(closed.boxes) == 3
    assert {(line.source, line.target) for line in closed.lines} == {
        ("many", "for-loop-1"),
        ("for-loop-1", "join"),
    }


def test_artifacts_of_a_pipeline_connect_writer_and_readers(tmp_path):
    spec = compiled(artifacts, tmp_path)
    drawing = graph.draw(graph.spec_steps(spec), graph.GraphViewState(has_artifacts=True, frames="open"))
    found = {
        (pill.carried.step.id, pill.carried.artifact.name): (pill.carried.source, set(pill.carried.targets))
        for pill in drawing.pills
    }
    assert found["write", "rows"] == ("write", {"inner"})
    assert found["importer", "artifact"] == ("importer", {"for-loop-2", "fit"})
    assert found["inner.fit", "model"] == ("inner", {"score"})
    assert found["for-loop-2.inner-2.fit", "model"] == ("for-loop-2", {"compare"})
    assert found["fit", "model"] == ("fit", set())


WORKFLOW = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "tips-"},
    "spec": {
        "entrypoint": "tips",
        "onExit": "tidy",
        "arguments": {"parameters": [{"name": "rounds", "value": "3"}]},
        "templates": [
            {
                "name": "tips",
                "dag": {
                    "tasks": [
                        {"name": "train", "template": "train", "dependencies": ["read"]},
                        {"name": "read", "template": "read"},
                        {"name": "loop", "template": "loop", "depends": "read && (train.Succeeded || train.Failed)",
                         "withParam": "{{tasks.read.outputs.parameters.items}}"},
                        {"name": "again", "template": "again", "dependencies": ["loop"], "when": "'a' == 'b'"},
                    ]
                },
            },
            {"name": "loop", "steps": [[{"name": "one", "template": "read"}, {"name": "two", "template": "read"}],
                                       [{"name": "three", "template": "train"}]]},
            {"name": "again", "dag": {"tasks": [{"name": "flip", "template": "read"},
                                               {"name": "again", "template": "again", "dependencies": ["flip"]}]}},
            {"name": "read", "container": {"image": "alpine"},
             "metadata": {"annotations": {"pipelines.kubeflow.org/task_display_name": "Read it"}}},
            {"name": "train", "container": {"image": "python:3.11"}},
            {"name": "tidy", "container": {"image": "alpine"}},
        ],
    },
}  # fmt: skip


def test_kfp_1_workflow_is_drawn(client, kubeflow):
    kubeflow.versions[0]["pipeline_spec"] = WORKFLOW
    page = BeautifulSoup(client.get("/pipelines/p1/versions/v1/").content, "html.parser")
    nodes, edges = drawn(page)
    assert nodes == sorted(
        ["read", "train", "loop", "loop.one", "loop.two", "loop.three", "again", "again.flip", "again.again", "tidy"]
    )
    assert edges == sorted(
        [
            ("read", "train"),
            ("read", "loop"),
            ("train", "loop"),
            ("loop", "again"),
            ("again.flip", "again.again"),
            ("loop.one", "loop.three"),
            ("loop.two", "loop.three"),
            ("again", "tidy"),
        ]
    )
    kinds = {node["id"]: node["data-kind"] for node in page.select("[data-node]")}
    assert kinds["node-loop"] == "loop"
    assert kinds["node-again"] == "condition"
    assert kinds["node-tidy"] == "exit_handler"
    assert page.select_one("#node-read title").text == "Read it: container"


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "Workflow", "spec": {"entrypoint": "x", "templates": "no list"}},
        {"kind": "Workflow", "spec": {"entrypoint": "x", "templates": [{"name": "x", "dag": {"tasks": ["odd", 3]}}]}},
        {"kind": "Workflow", "spec": {"entrypoint": "x", "templates": [{"name": "x", "steps": [{"name": "y"}, 3]}]}},
        {"root": {"dag": {"tasks": {"a": {"componentRef": {"name": "a"}, "inputs": {"artifacts": {"x": 3}}}}}}},
        {"root": {"dag": []}},
    ],
)
def test_page_of_a_malformed_spec_opens(spec, client, kubeflow):
    kubeflow.versions[0]["pipeline_spec"] = spec
    assert client.get("/pipelines/p1/versions/v1/?artifacts=1").status_code == 200
    assert client.get("/pipelines/p1/versions/v1/?view=steps").status_code == 200

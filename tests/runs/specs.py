"""A pipeline spec in the form of kfp's compiler, with a step of every kind."""

from __future__ import annotations

from typing import Any


def _container(label: str, image: str = "python:3.11") -> dict[str, Any]:
    return {"container": {"image": image, "command": ["sh"], "args": [label]}}


def _task(component: str, name: str, **more: Any) -> dict[str, Any]:
    return {"componentRef": {"name": f"comp-{component}"}, "taskInfo": {"name": name}, **more}


def _from_task(task: str, key: str) -> dict[str, Any]:
    return {"artifacts": {key: {"taskOutputArtifact": {"producerTask": task, "outputArtifactKey": key}}}}


SPEC: dict[str, Any] = {
    "pipelineInfo": {"name": "tips"},
    "schemaVersion": "2.1.0",
    "sdkVersion": "kfp-2.17.3",
    "root": {
        "inputDefinitions": {
            "parameters": {
                "rounds": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3, "description": "How often."},
                "rate": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0.5},
                "balanced": {"parameterType": "BOOLEAN", "defaultValue": True},
                "model": {"parameterType": "STRING", "defaultValue": "tree"},
                "columns": {"parameterType": "LIST", "defaultValue": ["day", "time"]},
                "options": {"parameterType": "STRUCT", "isOptional": True},
                "label": {"parameterType": "STRING"},
            }
        },
        "dag": {
            "tasks": {
                "evaluate": _task("evaluate", "evaluate", inputs=_from_task("train", "model")),
                "train": _task("train", "train", inputs=_from_task("read-data", "data")),
                "read-data": _task("read-data", "read-data"),
                "labels": _task("labels", "labels"),
                "for-loop-1": _task(
                    "for-loop-1",
                    "for-loop-1",
                    dependentTasks=["read-data"],
                    parameterIterator={"itemInput": "item", "items": {"raw": "[1, 2]"}},
                ),
                "condition-1": _task(
                    "condition-1",
                    "condition-1",
                    dependentTasks=["train"],
                    triggerPolicy={"condition": "inputs.parameter_values['x'] == 'y'"},
                ),
            }
        },
    },
    "components": {
        "comp-read-data": {"executorLabel": "exec-read-data"},
        "comp-train": {"executorLabel": "exec-train"},
        "comp-evaluate": {"executorLabel": "exec-evaluate"},
        "comp-labels": {"executorLabel": "exec-labels"},
        "comp-score": {"executorLabel": "exec-score"},
        "comp-deploy": {"executorLabel": "exec-deploy"},
        "comp-for-loop-1": {"dag": {"tasks": {"score": _task("score", "score")}}},
        "comp-condition-1": {"dag": {"tasks": {"deploy": _task("deploy", "deploy")}}},
    },
    "deploymentSpec": {
        "executors": {
            "exec-read-data": _container("read-data"),
            "exec-train": _container("train"),
            "exec-evaluate": _container("evaluate"),
            "exec-score": _container("score"),
            "exec-deploy": _container("deploy"),
            "exec-labels": {"importer": {"artifactUri": {"constant": "minio://b/labels.csv"}}},
        }
    },
}

"""The portal's model of Kubeflow: plain, frozen values that every reader (REST, lineage, 1.x) fills.

Times are aware datetimes in UTC, None if the event has not happened. Ids are opaque text, unique within their endpoint;
the ids of steps and artifacts are unique within their run only.
"""

from apps.runs.entities.definitions import Endpoint, Experiment, Parameter, Pipeline, PipelineVersion, RecurringRun
from apps.runs.entities.pages import Page
from apps.runs.entities.runs import Artifact, Attempt, PluginEntry, Run, RunDetails, RunPlugin, Step, StepLog
from apps.runs.entities.states import Phase, State, StepKind

__all__ = [
    "Artifact",
    "Attempt",
    "Endpoint",
    "Experiment",
    "Page",
    "Parameter",
    "Phase",
    "Pipeline",
    "PipelineVersion",
    "PluginEntry",
    "RecurringRun",
    "Run",
    "RunDetails",
    "RunPlugin",
    "State",
    "Step",
    "StepKind",
    "StepLog",
]

"""The states of a render, and the reasons why one ends without a result: one table each.

A reason is stored with the render, returned by the API and shown to users, with its advice beside the message.
"""

from __future__ import annotations

import enum
from typing import Final, Self

from apps.runs.entities.states import Phase
from apps.ui.states import ShownChoices, Tone


class RenderState(ShownChoices):
    """The states of a render; active ones can still change."""

    phase: Phase

    def __new__(cls, value: str, icon: str, tone: Tone, phase: Phase) -> Self:
        """Creates a state from its table row. An enumeration cannot call its base's `__new__`."""
        state = str.__new__(cls, value)
        state._value_ = value
        state.icon, state.tone, state.phase = icon, tone, phase
        return state

    QUEUED = "queued", "clock", Tone.WARN, Phase.ACTIVE, "Queued"
    RUNNING = "running", "loader-circle", Tone.BUSY, Phase.ACTIVE, "Running"
    SUCCEEDED = "succeeded", "circle-check", Tone.OK, Phase.SUCCESSFUL, "Succeeded"
    FAILED = "failed", "circle-x", Tone.BAD, Phase.UNSUCCESSFUL, "Failed"
    TIMED_OUT = "timed_out", "hourglass", Tone.BAD, Phase.UNSUCCESSFUL, "Timed out"
    CANCELLED = "cancelled", "ban", Tone.IDLE, Phase.UNSUCCESSFUL, "Cancelled"
    LOST = "lost", "unlink", Tone.BAD, Phase.UNSUCCESSFUL, "Lost"

    @property
    def is_final(self) -> bool:
        """Whether the state can no longer change."""
        return self.phase.is_final


ACTIVE_STATES: Final = tuple(state for state in RenderState if state.phase is Phase.ACTIVE)


class Fault(enum.StrEnum):
    """Who is to blame for a render that ends without a result.

    After a machine fault a render is automatically tried once more, unless it runs custom code.
    """

    REQUEST = "request"
    PORTAL = "portal"
    MACHINE = "machine"


class Reason(enum.StrEnum):
    """Why a render ended without a result.

    Attributes:
        label: what happened, in a few words.
        advice: what a person can do about it; "" if the render's message is enough.
    """

    label: str
    advice: str
    fault: Fault

    def __new__(cls, value: str, label: str, advice: str = "", fault: Fault = Fault.REQUEST) -> Self:
        """Creates a reason from its table row."""
        reason = str.__new__(cls, value)
        reason._value_ = value
        reason.label, reason.advice, reason.fault = label, advice, fault
        return reason

    # The code, or what it was asked to do.
    USER_ERROR = "user_error", "The code raised an error"
    SYNTAX_ERROR = "syntax_error", "The code is not valid Python"
    BAD_RESULT = "bad_result", "The render left no usable result", "", Fault.PORTAL
    HTML_TOO_BIG = "html_too_big", "The page is too large", "Show a part or a summary. The executed notebook is kept."
    KERNEL_DIED = "kernel_died", "The process that ran the code died", "The log may say more."
    KERNEL_MISSING = (
        "kernel_missing",
        "There is no such kernel",
        "The type names a kernel that its environment does not have.",
    )
    # Limits.
    TIMED_OUT = (
        "timed_out",
        "The time limit was reached",
        "Ask for less data, or ask an administrator to raise KERNEL_TIMEOUT.",
    )
    OUT_OF_MEMORY = (
        "out_of_memory",
        "It needed too much memory",
        "Read fewer rows or columns at a time. The limit is this server's (VIZPORTAL_MAX_RENDER_MEMORY_BYTES).",
    )
    TOO_MANY_PROCESSES = "too_many_processes", "It started too many processes"
    DISK_FULL = "disk_full", "It wrote too much to the disk", "Write less to the disk, or clean up on the way."
    # Somebody's decision, or something not provided.
    CANCELLED = "cancelled", "Somebody cancelled it"
    CUSTOM_OFF = (
        "custom_off",
        "Custom code is switched off",
        "An administrator can switch it on with ALLOW_CUSTOM_VISUALIZATIONS.",
    )
    UNCONFINED = (
        "unconfined",
        "There is no sandbox for custom code",
        "Rendering needs Linux 5.13 or newer, or an administrator who sets VIZPORTAL_CUSTOM_WITHOUT_SANDBOX.",
    )
    ENVIRONMENT_MISSING = (
        "environment_missing",
        "The environment is not built",
        "An administrator can build it: manage.py environments build.",
    )
    DEPENDENCIES_REFUSED = (
        "dependencies_refused",
        "Packages may not be installed",
        "An administrator can allow it with VIZPORTAL_ALLOW_DEPENDENCIES.",
    )
    DEPENDENCIES_FAILED = (
        "dependencies_failed",
        "Packages could not be installed",
        "Ask for versions that fit, or for other packages.",
    )
    # The source.
    SOURCE_MISSING = (
        "source_missing",
        "There is no such source",
        "Is the artifact still in its store? Some artifacts keep their data in their metadata only.",
    )
    SOURCE_REFUSED = (
        "source_refused",
        "The source may not be read",
        "An administrator can allow it with VIZPORTAL_SOURCE_ALLOW.",
    )
    SOURCE_TOO_BIG = "source_too_big", "The source is too large", "The limit is VIZPORTAL_MAX_SOURCE_BYTES."
    SOURCE_TIMEOUT = (
        "source_timeout",
        "Fetching the source took too long",
        "Is the store slow, or the source larger than it looks? Try a part of it.",
    )
    SOURCE_UNREACHABLE = (
        "source_unreachable",
        "The source does not answer",
        "Can the portal reach its store or web server? Try again when that answers.",
    )
    SOURCE_CHANGED = "source_changed", "The source changed while it was read", "Render again once it is complete."
    ENDPOINT_DOWN = (
        "endpoint_down",
        "Kubeflow does not answer",
        "Saved results still open. Try again when Kubeflow answers.",
    )
    # Machine faults; their messages say what to do.
    WORKER_LOST = (
        "worker_lost",
        "The worker was lost",
        "The process that renders was lost, which is rarely the code's fault. Render again.",
        Fault.MACHINE,
    )
    HOST_FAILED = "host_failed", "The environment does not start", "", Fault.MACHINE
    KILLED_BY_SYSTEM = "killed_by_system", "The system ended its process", "", Fault.MACHINE
    WORK_DISK_FULL = "work_disk_full", "The machine's disk is full", "", Fault.MACHINE
    WORK_DIR_FAILED = "work_dir_failed", "The work directory cannot be used", "", Fault.MACHINE
    STORE_FULL = "store_full", "The store of results is full", "", Fault.MACHINE
    STORE_FAILED = "store_failed", "The store of results does not answer", "", Fault.MACHINE
    NO_DESCRIPTORS = "no_descriptors", "The worker had no file descriptors left", "", Fault.MACHINE
    # The portal.
    WORKER_STOPPED = "worker_stopped", "The worker was stopped", "Render again.", Fault.PORTAL
    POISON = (
        "poison",
        "Two attempts were lost",
        "Two workers died while rendering it. Change the code or the data before trying again.",
        Fault.PORTAL,
    )
    INTERNAL_ERROR = "internal_error", "Something went wrong in the portal", "", Fault.PORTAL

    @classmethod
    def by_value(cls, value: str) -> Reason | None:
        """Returns the reason with this value; None for "" and for reasons that only an older version knew."""
        return next((reason for reason in cls if reason.value == value), None)

    @property
    def state(self) -> RenderState:
        """The state in which it leaves a render."""
        states = {Reason.TIMED_OUT: RenderState.TIMED_OUT, Reason.CANCELLED: RenderState.CANCELLED}
        return (states | {Reason.WORKER_LOST: RenderState.LOST}).get(self, RenderState.FAILED)

    @property
    def is_machine_fault(self) -> bool:
        """Whether the machine was at fault, not the code, its data or the portal."""
        return self.fault is Fault.MACHINE

    @property
    def is_tried_again(self) -> bool:
        """Whether a render without custom code automatically gets one more attempt."""
        return self.is_machine_fault

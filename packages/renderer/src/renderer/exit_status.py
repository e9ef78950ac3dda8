"""The host's message about the end of a render, together with the files that the render handed over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, BinaryIO, Final

from renderer.child.render_child.cells.handover import RESULTS, is_sealed

_CAN_SEAL: Final = hasattr(os, "memfd_create")


class ExitStatus:
    """The host's report on the end of a render, and the files that were handed over.

    Attributes:
        message: the host's message.
        is_sealed: whether page, notebook and result are complete and can no longer change.
    """

    def __init__(self, message: dict[str, Any], descriptors: Sequence[int]) -> None:
        """Takes ownership of the descriptors.

        Args:
            descriptors: of the files of `RESULTS`, in this order; empty if nothing was started.
        """
        self.message = message
        self._files = [_reopened(descriptor) for descriptor in descriptors]
        self.is_sealed = len(self._files) == len(RESULTS) and all(is_sealed(file.fileno()) for file in self._files)

    def take(self) -> tuple[BinaryIO, BinaryIO, BinaryIO] | None:
        """Returns page, notebook and result, open at their beginning; None if the render did not hand them over.

        Call it once, when the render's processes have ended or if the files are sealed.
        """
        if len(self._files) == len(RESULTS) and (self.is_sealed or not _CAN_SEAL):
            page, notebook, result = self._files
            return page, notebook, result
        for file in self._files:
            file.close()
        return None


def _reopened(descriptor: int) -> BinaryIO:
    """Reopens the file of a descriptor, because the render shares the old one and could move its position."""
    try:
        flags = os.O_RDONLY | os.O_CLOEXEC
        return os.fdopen(os.open(f"/proc/self/fd/{descriptor}", flags) if _CAN_SEAL else os.dup(descriptor), "rb")
    finally:
        os.close(descriptor)

"""Settings of the TFX libraries; a render host applies them right after each library is imported."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final


def _configure(name: str) -> Callable[[], None]:
    """Returns a function of `tfx`, looked up when it is called, because `tfx` imports what only renders of TFX need."""

    def call() -> None:
        getattr(importlib.import_module(".tfx", __package__), name)()

    return call


AFTER_IMPORT: Final[dict[str, Callable[[], None]]] = {
    "tensorflow_data_validation": _configure("configure_tfdv"),
    "tensorflow_model_analysis": _configure("configure_tfma"),
    "apache_beam": _configure("configure_beam"),
}

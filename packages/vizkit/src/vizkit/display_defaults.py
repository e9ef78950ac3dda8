"""Settings of the TFX libraries, which a render host applies right after each of them is imported."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final


def _configure(name: str) -> Callable[[], None]:
    """Returns a function of `tfx` that is looked up when it is called: `tfx` imports what only renders of TFX need."""

    def call() -> None:
        getattr(importlib.import_module(".tfx", __package__), name)()

    return call


AFTER_IMPORT: Final[dict[str, Callable[[], None]]] = {
    "tensorflow_data_validation": _configure("configure_tfdv"),
    "tensorflow_model_analysis": _configure("configure_tfma"),
    "apache_beam": _configure("configure_beam"),
}

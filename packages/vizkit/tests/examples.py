"""An example on real data for every type, from `EXAMPLES` of the modules `examples_<area>.py` in this folder."""

import importlib
from collections.abc import Callable
from pathlib import Path

# Writes the example's files into a folder and returns the source ("" for none) and the arguments.
Example = Callable[[Path], tuple[str | Path, dict]]


def all_examples() -> dict[str, Example]:
    """Returns the examples by key. If two modules have one for the same key, the first module's is used."""
    found: dict[str, Example] = {}
    for path in sorted(Path(__file__).parent.glob("examples_*.py")):
        module = importlib.import_module(f"packages.vizkit.tests.{path.stem}")
        found = {**module.EXAMPLES, **found}
    return found

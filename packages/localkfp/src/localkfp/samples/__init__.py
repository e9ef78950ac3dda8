"""The sample pipelines, uploaded and run once at the first start with `--samples`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from localkfp import experiments_api, pipelines_api, runs_api, specs
from localkfp.errors import ApiError
from localkfp.places import Places
from localkfp.store import Store

FOLDER: Final = Path(__file__).parent
_MARK: Final = "samples-loaded"
SAMPLES: Final = {
    "tip-prediction": "Who tips generously? Statistics, schema, training and evaluation on real restaurant bills.",
    "control-flow": "A loop, conditions, a nested pipeline, an importer and collected outputs.",
}
"""Name -> description; each has a Python source and a compiled .yaml next to this file."""
IMPORTED_URI: Final = "minio://mlpipeline/v2/artifacts/samples/colours.csv"


def compiled(name: str) -> Path:
    """Returns the compiled pipeline of a sample."""
    return FOLDER / f"{name.replace('-', '_')}.yaml"


def load_samples(store: Store, places: Places) -> None:
    """Uploads each sample and adds a run of it, unless this was already done in this data directory."""
    mark = places.root / _MARK
    if mark.exists():
        return
    target = places.path_of(IMPORTED_URI)
    if target is None:
        raise RuntimeError(f"{IMPORTED_URI} leads out of the data directory")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(FOLDER / "colours.csv", target)
    experiment = experiments_api.default_experiment(store)
    for name, description in SAMPLES.items():
        spec = specs.read_package(compiled(name).read_bytes())
        try:
            pipeline = pipelines_api.add_pipeline(store, name, spec, {"description": description})
        except ApiError:
            continue  # somebody has already uploaded a pipeline with that name
        runs_api.add_run(
            store,
            experiment_id=experiment["id"],
            reference={"pipeline_id": pipeline["id"]},
            display_name=f"{name} (sample run)",
        )
    mark.touch()

"""`python -m localkfp.samples.compile [FOLDER]`: compiles the samples to .yaml files, by default into this folder."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from kfp.compiler import Compiler

    from localkfp.samples import control_flow, tip_prediction


def compile_samples(folder: Path) -> list[Path]:
    """Compiles each sample into `folder` and returns the files."""
    pipelines = {
        "tip_prediction": tip_prediction.tip_prediction,
        "control_flow": control_flow.control_flow,
    }
    for name, pipeline in pipelines.items():
        Compiler().compile(pipeline, str(folder / f"{name}.yaml"))
    return [folder / f"{name}.yaml" for name in pipelines]


if __name__ == "__main__":
    compile_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

"""Paths of the repository and of the environments that `make develop` builds."""

from pathlib import Path

from renderer import Environments

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = Environments(definitions_dir=ROOT / "environments", built_dir=ROOT / ".environments")

"""The repository, and its environments as `make develop` builds them."""

from pathlib import Path

from renderer import Environments

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = Environments(definitions_dir=ROOT / "environments", built_dir=ROOT / ".environments")

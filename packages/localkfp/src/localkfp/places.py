"""The layout of the data directory, and the mapping between artifact URIs and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

DEFAULT_ROOT: Final = "minio://mlpipeline/v2/artifacts"
SCHEMES: Final = frozenset({"minio", "s3"})


class OutsideError(Exception):
    """A bucket or key leads out of the artifact folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The folders of one data directory."""

    root: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "localkfp.sqlite3"

    @property
    def artifacts(self) -> Path:
        """Contains one folder per bucket."""
        return self.root / "artifacts"

    @property
    def step_environments(self) -> Path:
        """Contains one virtual environment per set of packages that steps requested."""
        return self.root / "step-environments"

    @property
    def secrets(self) -> Path:
        """Contains secrets for `use_secret_as_env`, provided by people: one folder per secret, one file per key."""
        return self.root / "secrets"

    @property
    def config_maps(self) -> Path:
        """Contains config maps for `use_config_map_as_env`, in the same form."""
        return self.root / "config-maps"

    def run(self, run_id: str) -> Path:
        """Contains a run's logs and working files; its artifacts are in `artifacts`."""
        return self.root / "runs" / run_id

    def log(self, run_id: str, pod_name: str) -> Path:
        """The log file of one step of a run."""
        return self.run(run_id) / "logs" / f"{pod_name}.log"

    def make(self) -> None:
        """Creates the folders, readable by their owner only, because other people's code writes files there."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.artifacts, self.step_environments, self.root / "runs"):
            folder.mkdir(exist_ok=True, mode=0o700)

    def object_path(self, bucket: str, key: str) -> Path:
        """Returns the real path of an object, which need not exist.

        Raises:
            OutsideError: dot segments or a symbolic link lead out of the bucket, or the name is unusable.
        """
        folder = self.artifacts.resolve()
        parts = [bucket, *key.strip("/").split("/")]
        # A bucket with a slash could begin with one, and joining an absolute path discards the folder.
        if "/" in bucket or any(part in {"", ".", ".."} or "\0" in part for part in parts):
            raise OutsideError(f"{bucket}/{key} is not the name of an object")
        try:
            path = folder.joinpath(*parts).resolve()
        except (OSError, RuntimeError) as error:
            raise OutsideError(f"{bucket}/{key} cannot be resolved") from error
        if not path.is_relative_to(folder / bucket):
            raise OutsideError(f"{bucket}/{key} leads out of its bucket")
        return path

    def path_of(self, uri: str) -> Path | None:
        """Returns the file that a URI of this server names; None for any other URI."""
        parts = urlsplit(uri)
        if parts.scheme not in SCHEMES or not parts.netloc:
            return None
        try:
            return self.object_path(parts.netloc, parts.path.lstrip("/"))
        except OutsideError:
            return None

    def uri_of(self, path: str) -> str:
        """Returns the URI of a file; text that is not an absolute path is returned unchanged."""
        prefix = f"{self.artifacts.resolve()}/"
        if path.startswith(prefix):
            return f"minio://{path.removeprefix(prefix)}"
        return f"file://{path}" if path.startswith("/") else path

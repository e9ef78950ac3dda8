"""The fixtures of visualizations: people, a real queue server, and a kernel that does as told."""

from tests.visualizations.conftest import (  # noqa: F401  (fixtures)
    admin,
    browser,
    kernel,
    kubeflow,
    owner,
    queue,
    reader,
    row,
    submit,
    valkey_url,
    work,
)

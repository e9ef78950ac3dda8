"""The fixtures of tests/visualizations: users, a real queue server, and a kernel stand-in."""

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

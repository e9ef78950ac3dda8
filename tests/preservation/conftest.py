"""The users, the queue and the two stand-ins of tests/visualizations."""

from tests.visualizations.conftest import (  # noqa: F401  (fixtures)
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

"""The cast and the queue of tests/visualizations."""

from tests.visualizations.conftest import *  # noqa: F403  (fixtures)

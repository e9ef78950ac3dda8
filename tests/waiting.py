"""Waiting for what another process makes true: a condition with a limit, never a bare pause."""

import time


def wait_until(condition, seconds=120, what="it"):
    """Returns the first true value of `condition()`; fails the test with `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.05)
    return found

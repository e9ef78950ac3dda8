"""Waiting for what another process makes true: a condition with a limit, never a bare pause."""

import time


def wait_until(condition, seconds=120, what="it"):
    """Returns the first true value of `condition()`; fails the test with `what` when there is none in time.

    It asks less often the longer it waits: what is waited for needs the processor that asking takes.
    """
    began = time.monotonic()
    while not (found := condition()):
        waited = time.monotonic() - began
        assert waited < seconds, f"waited {seconds} s in vain for {what}"
        time.sleep(min(max(waited / 10, 0.02), 0.5))
    return found

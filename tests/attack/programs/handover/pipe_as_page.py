"""Leaves a FIFO, a folder, a socket, a device and an empty link in place of its results, one in each round.

gains: a worker that waits forever
limits: timeout_s=6
repeat: 12
ends: any
"""

kinds = (os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path), lambda path: os.symlink(path, path))
name = ("result.html", "result.json", "result.ipynb")[ROUND % 3]
forge()
try:
    os.path.exists(f"../{name}") and os.unlink(f"../{name}")
    kinds[ROUND // 3 % len(kinds)](f"../{name}")
    tried(name)
except OSError as error:
    say("REFUSED", name, error)
tell(b"done")
time.sleep(0.1)
os._exit(0)

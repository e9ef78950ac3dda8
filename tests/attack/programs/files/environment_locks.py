"""Takes locks, record locks and leases on a file that it can only read, and keeps them.

gains: everybody waits who opens or locks the libraries that renders share
remains(none): locks on every file that the portal's user can read
"""

import fcntl

# Whoever is told that a lease is wanted back is ended otherwise.
signal.signal(signal.SIGIO, signal.SIG_IGN)
shared_lock = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)
opened = [os.open(V["shared"], os.O_RDONLY) for _ in range(6)]
for name, act, *arguments in (
    ("flock", fcntl.flock, opened[0], fcntl.LOCK_EX | fcntl.LOCK_NB),
    ("record lock", fcntl.fcntl, opened[1], fcntl.F_SETLK, shared_lock),
    ("description lock", fcntl.fcntl, opened[2], 37, shared_lock),
    ("lease", fcntl.fcntl, opened[3], fcntl.F_SETLEASE, fcntl.F_RDLCK),
    ("high halves", call, 73, opened[4] | 1 << 32, (fcntl.LOCK_SH | fcntl.LOCK_NB) | 1 << 32),
    ("command in high halves", call, 72, opened[5], fcntl.F_SETLEASE | 1 << 32, fcntl.F_RDLCK),
):
    # An answer alone is no proof: some are answered as if done. The suite asks for the file from outside.
    reads(name, act, *arguments)
time.sleep(0.7)

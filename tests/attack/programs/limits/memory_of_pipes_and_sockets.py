"""Fills the buffers of 400 pipes and socket pairs: kernel memory that belongs to no process.

gains: memory above the limit
remains(none): kernel buffers of pipes and sockets, without control groups
limits: max_memory_bytes=104857600 timeout_s=15
ends: out_of_memory, succeeded, user_error, kernel_died
"""

import fcntl

tried("pipes")
taken = 0
ends = []
try:
    for _ in range(200):
        readable, writable = os.pipe()
        try:
            fcntl.fcntl(writable, 1031, 1024**2)
        except OSError:
            pass
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)
        ends += [readable, writable, ours, theirs]
        for number in (writable, ours.fileno()):
            os.set_blocking(number, False)
            try:
                while True:
                    taken += os.write(number, bytes(65536))
            except OSError:
                pass
except OSError as error:
    say("REFUSED", "pipes", error)
time.sleep(2)
say("GAINED" if taken > 2 * V["max_memory_bytes"] else "REFUSED", "kernel memory", taken)

"""Fills 900 MB of System V shared memory where 500 MB are allowed.

gains: memory above the limit that remains after all processes have ended
needs: x86_64
limits: max_memory_bytes=524288000 timeout_s=15
ends: out_of_memory, user_error, kernel_died, succeeded
remains(none): System V shared memory above the limit
"""

tried("shm")
blocks = []
try:
    for _ in range(9):
        number = call(29, 0, V["shared_bytes"], 0o1600)
        blocks.append(number)
        address = call(30, number, 0, 0)
        _ctypes.memset(address, 1, 100 * 1024**2)
        call(67, address)
except OSError as error:
    say("REFUSED", "shmget", error)
else:
    time.sleep(3)
    gained("shm", len(blocks))
for number in blocks:
    call(31, number, 0, 0)

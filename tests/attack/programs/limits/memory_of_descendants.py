"""Allocates memory in ten processes, each far below the limit.

gains: memory above the limit
limits: max_memory_bytes=524288000 timeout_s=15
ends: out_of_memory, user_error, kernel_died, succeeded
"""

tried("heap")
readable, writable = os.pipe()


def take():
    block = bytearray(os.urandom(1024) * 1024 * 120)
    os.write(writable, b"x")
    time.sleep(5)
    return block


for _ in range(10):
    child(take)
time.sleep(4)
os.set_blocking(readable, False)
try:
    count = len(os.read(readable, 100))
except OSError:
    count = 0
say("GAINED" if count > 5 else "REFUSED", "processes with 120 MB", count)

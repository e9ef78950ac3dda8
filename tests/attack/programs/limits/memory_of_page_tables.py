"""Maps one page of a file a million times, far apart, so that page tables take the memory.

gains: memory above the limit that is resident in no process
limits: max_memory_bytes=314572800 timeout_s=15
ends: out_of_memory, succeeded, user_error, kernel_died
suite: attack
"""

import mmap

tried("tables")
LIBC.mmap.restype = _ctypes.c_void_p
LIBC.mmap.argtypes = (_ctypes.c_void_p, _ctypes.c_size_t, _ctypes.c_int, _ctypes.c_int, _ctypes.c_int, _ctypes.c_long)
count = 100_000
span = 2 * 1024**2
start = LIBC.mmap(None, count * span, 1, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, -1, 0)
if start and start != 2**64 - 1:
    for number in range(count):
        # Reading maps the shared zero page: a page table for each 2 MB, no page of its own.
        _ctypes.c_char.from_address(start + number * span).value
    time.sleep(2)
    say("GAINED" if count * 4096 > V["max_memory_bytes"] else "REFUSED", "tables", count * 4096)

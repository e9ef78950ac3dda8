"""Fills 900 MB of shared anonymous memory where 500 MB are allowed, and unmaps none of it.

gains: memory above the limit
limits: max_memory_bytes=524288000 timeout_s=15
ends: out_of_memory, user_error, kernel_died, disk_full
"""

import mmap

tried("shared")
blocks = []
for _ in range(9):
    block = mmap.mmap(-1, 100 * 1024**2, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    for offset in range(0, len(block), 4096):
        block[offset] = 1
    # What is paged out of the mapping remains in memory, and in nobody's resident size.
    block.madvise(mmap.MADV_DONTNEED)
    blocks.append(block)
time.sleep(3)
gained("shared", len(blocks))

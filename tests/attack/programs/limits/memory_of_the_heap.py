"""Allocates 900 MB of memory where 500 MB are allowed, and keeps it for 3 s.

gains: memory above the limit
limits: max_memory_bytes=524288000 timeout_s=15
ends: out_of_memory, user_error, kernel_died
"""

tried("heap")
blocks = [bytearray(os.urandom(1024) * 1024) for _ in range(900)]
time.sleep(3)
gained("heap", len(blocks))

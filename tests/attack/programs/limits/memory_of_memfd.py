"""Writes 900 MB into a memfd where 500 MB are allowed; no process has mapped this memory.

gains: memory above the limit
remains(none): memory files (memfd) above the limit, without control groups
limits: max_memory_bytes=524288000 timeout_s=15
ends: out_of_memory, user_error, kernel_died, disk_full
"""

tried("memfd")
files = []
for _ in range(9):
    files.append(os.memfd_create("hog"))
    for _ in range(100):
        os.write(files[-1], bytes(1024**2))
time.sleep(3)
gained("memfd", len(files))

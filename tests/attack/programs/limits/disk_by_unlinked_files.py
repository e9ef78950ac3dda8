"""Writes into files that it has removed but keeps open.

gains: disk space above the limit that a search by name does not find
limits: max_disk_bytes=104857600 timeout_s=20
ends: disk_full, user_error, kernel_died
"""

tried("disk")
files = []
for number in range(4):
    files.append(open(f"hidden{number}", "w+b"))
    os.unlink(f"hidden{number}")
    for _ in range(60):
        files[-1].write(bytes(1024**2))
    files[-1].flush()
time.sleep(3)
gained("disk", sum(os.fstat(each.fileno()).st_blocks * 512 for each in files))

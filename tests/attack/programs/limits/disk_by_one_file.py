"""Writes more into one file than its directory may contain.

gains: disk space above the limit
limits: max_disk_bytes=104857600 timeout_s=20
ends: disk_full, user_error, kernel_died
"""

tried("disk")
with open("large", "wb") as file:
    for _ in range(240):
        file.write(bytes(1024**2))
    file.flush()
    os.fsync(file.fileno())
    time.sleep(3)
gained("disk", os.stat("large").st_blocks * 512)

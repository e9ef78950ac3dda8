"""Writes into files without a name (O_TMPFILE), and into removed folders that are still in use.

gains: disk space above the limit that a search by name does not find
limits: max_disk_bytes=104857600 timeout_s=20
ends: disk_full, user_error, kernel_died, succeeded
"""

try:
    files = [os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600) for _ in range(4)]
except OSError as error:
    say("REFUSED", "O_TMPFILE", error)
else:
    tried("disk")
    for each in files:
        for _ in range(60):
            os.write(each, bytes(1024**2))
    time.sleep(3)
    gained("disk", sum(os.fstat(each).st_blocks * 512 for each in files))

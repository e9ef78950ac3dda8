"""Reserves blocks without writing them, beyond a file's end and without changing its size.

gains: disk space above the limit
needs: x86_64
limits: max_disk_bytes=104857600 timeout_s=20
ends: disk_full, user_error, kernel_died, succeeded
"""

held = []
for number, mode in enumerate((0, 1, 1, 1)):
    opened = os.open(f"reserved{number}", os.O_RDWR | os.O_CREAT)
    if number > 1:
        os.unlink(f"reserved{number}")
    try:
        call(285, opened, mode, 0, 60 * 1024**2)
    except OSError as error:
        say("REFUSED", "fallocate", error)
    held.append(opened)
tried("disk")
time.sleep(3)
total = sum(os.fstat(each).st_blocks * 512 for each in held)
say("GAINED" if total > V["max_disk_bytes"] else "REFUSED", "disk", total)

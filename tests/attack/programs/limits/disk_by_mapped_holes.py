"""Creates a sparse file of one terabyte and writes to it through a mapping.

gains: a file above the size limit, and disk space that is taken later
limits: max_disk_bytes=104857600 timeout_s=20
ends: disk_full, user_error, kernel_died, succeeded, timed_out
"""

import mmap

opened = os.open("holes", os.O_RDWR | os.O_CREAT)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    os.ftruncate(opened, 1024**4)
    gained("a terabyte by name")
except OSError as error:
    say("REFUSED", "ftruncate", error)
os.ftruncate(opened, 200 * 1024**2)
os.unlink("holes")
block = mmap.mmap(opened, 200 * 1024**2)
for offset in range(0, len(block), 4096):
    block[offset] = 1
block.flush()
time.sleep(3)
say("GAINED" if os.fstat(opened).st_blocks * 512 > V["max_disk_bytes"] else "REFUSED", "disk")

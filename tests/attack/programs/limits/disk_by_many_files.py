"""Creates as many files as it can within a few seconds.

gains: every inode of the disk
limits: max_files=2000 timeout_s=20
ends: disk_full, user_error, kernel_died
"""

tried("files")
for number in range(40_000):
    open(f"f{number}", "w").close()
time.sleep(2)
gained("files", number)

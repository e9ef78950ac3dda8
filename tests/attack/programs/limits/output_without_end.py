"""Prints past Python and into the notebook until it is stopped.

gains: memory of the trusted side, or disk space above the limit
limits: max_html_bytes=10000000 timeout_s=20 max_disk_bytes=209715200
ends: html_too_big, disk_full, user_error, kernel_died, timed_out, out_of_memory
"""

tried("output")
until = time.monotonic() + 12
while time.monotonic() < until:
    os.write(1, b"x" * 10**6)
    os.write(2, b"y" * 10**6)
    print("z" * 10**6)
time.sleep(3)
gained("output")

"""Writes to every inherited descriptor until it is full, and never reads the answers.

gains: the host blocks, or stores everything that it receives
limits: timeout_s=6
ends: any
"""

tried("flood")
for number in descriptors(stat.S_IFSOCK):
    os.set_blocking(number, False)
    until = time.monotonic() + 1
    try:
        while time.monotonic() < until:
            os.write(number, b'{"x": "' + b"y" * 65536)
    except OSError as error:
        say("REFUSED", number, error)

"""Writes to every inherited descriptor until it is full, and never reads what comes back.

gains: the host waits, or keeps what it is sent
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

"""Sends descriptors over every inherited socket, with and without data, and builds cycles of sockets in flight.

gains: the host keeps descriptors of a render, or uses one as its own
limits: timeout_s=6
ends: any
"""

tried("descriptors")
pair = socket.socketpair()
for number in descriptors(stat.S_IFSOCK):
    if number in (pair[0].fileno(), pair[1].fileno()):
        continue
    each = socket.socket(fileno=os.dup(number))
    each.setblocking(False)
    for data in (b"done", b"x", b'{"exit_status": "exited"}\n'):
        try:
            socket.send_fds(
                each, [data], [pair[0].fileno(), pair[1].fileno(), os.open("/dev/null", os.O_RDONLY), LIFELINE]
            )
            tried("sent", number)
        except OSError as error:
            say("REFUSED", f"send {number}", error)
for _ in range(50):
    socket.send_fds(pair[0], [b"x"], [pair[0].fileno(), pair[1].fileno()])

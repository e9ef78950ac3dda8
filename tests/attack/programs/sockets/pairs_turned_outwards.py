"""Connects its own pair of sockets to other addresses with connect, sendto, bind and listen.

gains: Unix sockets of the trusted side, without a call of socket()
remains(none): sockets that the portal's user can open
"""

for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM, socket.SOCK_RAW):
    for address in (V["queue"], "\0" + V["abstract"]):
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        except OSError as error:
            say("REFUSED", f"pair {kind}", error)
            continue
        attempt(f"connect {kind}", ours.connect, address)
        # A stream has its peer already; what was sent goes there.
        act = attempt if kind in (socket.SOCK_DGRAM, socket.SOCK_RAW) else reads
        act(f"sendto {kind}", ours.sendto, b"x", address)
        reads(f"unconnect {kind}", call, 42, ours.fileno(), struct.pack("H14x", 0), 16)
        attempt(f"connect again {kind}", ours.connect, address)
        reads(f"bind {kind}", ours.bind, "")
for family in (socket.AF_INET, 16, 17):
    attempt(f"pair {family}", socket.socketpair, family)

"""Claims to be another process (root, the host, the suite) over every inherited socket.

gains: the host believes that another process is speaking
limits: timeout_s=6
ends: any
"""

tried("credentials")
for number in descriptors(stat.S_IFSOCK):
    each = socket.socket(fileno=os.dup(number))
    each.setblocking(False)
    for pid in (1, os.getppid(), V["suite"]):
        claim = [(socket.SOL_SOCKET, 2, struct.pack("iii", pid, 0, 0))]
        if pid not in (os.getpid(), 0):
            attempt(f"claim {pid}", each.sendmsg, [b'{"exit_status": "exited"}\n'], claim) if os.getuid() else reads(
                "claim", each.sendmsg, [b'{"exit_status": "exited"}\n'], claim
            )
    tried("peer", struct.unpack("iii", each.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)))

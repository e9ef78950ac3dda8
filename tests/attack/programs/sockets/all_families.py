"""Creates a socket of every family and type, with the usual protocols.

gains: parts of the kernel that no notebook needs, devices on a bus, or packets of others
remains(none): sockets of every family that the portal's user can open
"""

for family in range(1, 46):
    for kind in (1, 2, 3, 4, 5, 10):
        for protocol in (0, 1, 4, 6, 9, 15, 16):
            try:
                socket.socket(family, kind, protocol).close()
            except OSError as error:
                if error.errno not in (
                    *REFUSALS,
                    errno.EAFNOSUPPORT,
                    errno.EPROTONOSUPPORT,
                    errno.ESOCKTNOSUPPORT,
                    errno.EINVAL,
                    94,
                    93,
                ):
                    gained(f"{family} {kind} {protocol}", error)
            else:
                gained(f"{family} {kind} {protocol}")
tried("families")

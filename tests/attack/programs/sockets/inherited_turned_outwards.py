"""Connects the inherited sockets to other addresses.

gains: Unix sockets of the trusted side, without a call of socket()
limits: timeout_s=6
ends: any
"""

tried("inherited")
for number in descriptors(stat.S_IFSOCK):
    each = socket.socket(fileno=os.dup(number))
    for address in (V["queue"], "\0" + V["abstract"]):
        attempt(f"connect {number}", each.connect, address)
        reads(f"unconnect {number}", call, 42, number, struct.pack("H14x", 0), 16)
        attempt(f"connect again {number}", each.connect, address)
    attempt(f"listen {number}", each.listen, 1)

"""Leaves its directory with openat2 and every combination of resolve flags.

gains: the value of a secret
needs: x86_64
remains(none): every file that the portal's user can read
"""

folder = os.open(".", os.O_RDONLY)
steps = "/".join([".."] * 12)
for resolve in (0, 1, 2, 4, 0x20):
    for path in (V["secret"], steps + V["secret"]):
        how = struct.pack("QQQ", os.O_RDONLY, 0, resolve)
        reads(f"openat2 {resolve}", lambda: os.read(call(437, folder, path.encode(), how, 24), 100))

"""Connects to the sockets of the queue and of its own host by path, directly and through a link.

gains: its own orders to queue, host and database
remains(none): sockets that the portal's user can open
"""

import glob

paths = [V["queue"], *glob.glob(f"{V['run_dir']}/*.sock"), f"{V['run_dir']}/host.sock"]
os.symlink(V["queue"], "socket")
for path in (*paths, "socket", f"/proc/self/cwd/socket"):
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        attempt(f"{path} {kind}", lambda path=path, kind=kind: socket.socket(socket.AF_UNIX, kind).connect(path))

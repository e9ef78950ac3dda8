"""Connects to an abstract socket of the trusted side, and takes names that others may trust.

gains: services of the machine, or the name of one
remains(none): abstract sockets
"""

for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    attempt(f"connect {kind}", lambda kind=kind: socket.socket(socket.AF_UNIX, kind).connect("\0" + V["abstract"]))
attempt("bind", lambda: socket.socket(socket.AF_UNIX).bind("\0" + V["mark"]))
attempt("bind any", lambda: socket.socket(socket.AF_UNIX).bind(""))
attempt("bind path", lambda: socket.socket(socket.AF_UNIX).bind("own.sock"))

"""Creates sockets for TCP, UDP and name lookups over IPv4 and IPv6, and connects.

gains: the network
remains(none): the network
"""

for family, kind, address in (
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", V["tcp"])),
    (socket.AF_INET6, socket.SOCK_STREAM, ("::1", V["tcp6"])),
    (socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)),
    (socket.AF_INET, 262, ("127.0.0.1", V["tcp"])),
):
    try:
        made = socket.socket(family, kind if kind < 100 else socket.SOCK_STREAM, 0 if kind < 100 else kind)
        made.settimeout(0.5)
        attempt(f"connect {address}", made.connect, address)
    except OSError as error:
        say("REFUSED", f"socket {family} {kind}", error)
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", V["udp"])))
attempt("fast open", lambda: socket.socket(socket.AF_INET).sendto(b"x", 0x20000000, ("127.0.0.1", V["tcp"])))
attempt("listen", lambda: socket.create_server(("127.0.0.1", 0)))
reads("name", socket.getaddrinfo, "localhost", 80)

"""Leaves System V objects, POSIX queues, abstract sockets and keys, and looks for them in the next render.

gains: a way to pass data from one render to another, and memory that remains
needs: x86_64
remains(none): System V and POSIX objects, abstract sockets, keys
"""

KEY = int(V["base"].encode().hex()[-7:], 16)
for name, number, *arguments in (
    ("shmget", 29, KEY, 4096, 0o1600),
    ("semget", 64, KEY, 1, 0o1600),
    ("msgget", 68, KEY, 0o1600),
    ("mq_open", 240, b"attack", 0o102, 0o600, 0),
    ("add_key", 248, b"user", b"attack-left", b"x", 1, -4),
):
    reads(name, call, number, *arguments)
# === next render ===
KEY = int(V["base"].encode().hex()[-7:], 16)
for name, number, *arguments in (
    ("shmget", 29, KEY, 0, 0),
    ("semget", 64, KEY, 0, 0),
    ("msgget", 68, KEY, 0),
    ("mq_open", 240, b"attack", 0, 0, 0),
    ("request_key", 249, b"user", b"attack-left", 0, 0),
):
    attempt(name, call, number, *arguments)
for remove in ((31, 29), (66, 64), (71, 68)):
    try:
        number = call(remove[1], KEY, 0, 0)
        call(remove[0], number, *((0, 0) if remove[0] != 66 else (0, 0, 0)))
    except OSError as error:
        say("REFUSED", "remove", error)
try:
    call(241, b"attack")
except OSError as error:
    say("REFUSED", "remove", error)

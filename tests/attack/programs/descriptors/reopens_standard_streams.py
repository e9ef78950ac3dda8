"""Reopens its standard streams through /proc, with other access modes and after other files took their numbers.

gains: the trusted side's terminal or log
"""

for number in (0, 1, 2):
    for flags in (os.O_RDWR, os.O_WRONLY | os.O_APPEND):
        try:
            opened = os.open(f"/proc/self/fd/{number}", flags)
        except OSError as error:
            say("REFUSED", number, error)
            continue
        target = os.readlink(f"/proc/self/fd/{opened}") if os.access("/proc/self/fd", os.X_OK) else "?"
        is_own = target.startswith((os.path.dirname(os.getcwd()), "/dev/null", "/memfd:", "?"))
        say("TRIED" if is_own else "GAINED", number, target)
for command, name in ((0x5412, "TIOCSTI"), (0x541C, "TIOCLINUX"), (0x540E, "TIOCSCTTY"), (0x5422, "TIOCNOTTY")):
    for number in (0, 1, 2):
        try:
            import fcntl

            fcntl.ioctl(number, command, b"\x02")
            gained(name, number)
        except OSError as error:
            say("REFUSED", name, error)

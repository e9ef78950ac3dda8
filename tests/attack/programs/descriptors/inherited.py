"""Lists every open descriptor and what it refers to.

gains: a descriptor of the trusted side
"""

import fcntl


def is_own_terminal(target):
    """A terminal that the render itself made is at both ends its own."""
    return target == "/dev/ptmx" or target.startswith("/dev/pts/") or target.endswith("/ptmx")


own = os.path.dirname(os.getcwd())
for number in descriptors():
    status = os.fstat(number)
    target = os.readlink(f"/proc/self/fd/{number}") if os.access("/proc/self/fd", os.X_OK) else "?"
    flags = fcntl.fcntl(number, fcntl.F_GETFL)
    kind = stat.S_IFMT(status.st_mode)
    tried(number, f"{target} {flags:o}")
    if number == LIFELINE or target.startswith(
        (own, "/dev/null", "/dev/urandom", "/memfd:", f"/proc/{os.getpid()}", "/proc/self")
    ):
        continue
    if kind == stat.S_IFDIR:
        gained(f"folder {number}", target)
    elif kind == stat.S_IFREG and flags & (os.O_WRONLY | os.O_RDWR):
        gained(f"file to write {number}", target)
    elif kind in (stat.S_IFBLK, stat.S_IFCHR) and not is_own_terminal(target):
        gained(f"device {number}", target)
    elif kind == stat.S_IFSOCK:
        each = socket.socket(fileno=os.dup(number))
        if each.family != socket.AF_UNIX or each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            gained(f"socket {number}", f"{each.family} {each.getsockname()}")

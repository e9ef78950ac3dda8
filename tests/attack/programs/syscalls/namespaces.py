"""Creates and enters namespaces with unshare, setns and clone, also with bits in the high halves of the arguments.

gains: capabilities in its own namespace, and the parts of the kernel that they open
needs: x86_64
remains(none): namespaces
"""

for bit in (
    0x00020000,
    0x02000000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
    0x80,
    0x10000000 | 1 << 32,
):
    # In a child, which may harm itself alone.
    def act(bit=bit):
        try:
            call(272, bit)
        except OSError:
            os._exit(1)
        os._exit(0)

    pid = child(act)
    if pid:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        say("REFUSED" if status else "GAINED", f"unshare {bit:#x}", status)
for name in ("user", "net", "pid", "mnt", "ipc"):
    for pid in ("self", "1", str(os.getppid())):
        try:
            handle = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
        except OSError as error:
            say("REFUSED", f"{pid} {name}", error)
        else:
            reaches(f"setns {name}", 308, handle, 0)
reaches("setns pidfd", 308, LIFELINE, 0x10000000)

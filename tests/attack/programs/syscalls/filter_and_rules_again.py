"""Adds its own filters and rules, with a listener, and a new Landlock ruleset that allows everything.

gains: system calls answered in place of the kernel, or privileges that it had given up
needs: x86_64
remains(none): filters that apply only to the render itself
"""

program = _ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
filter_of = struct.pack("HxxxxxxQ", 1, _ctypes.addressof(program))


def adds(flags):
    LIBC.prctl(38, 1, 0, 0, 0)
    call(317, 1, flags, filter_of)
    try:
        os.close(os.open(V["secret"], os.O_RDONLY))
    except OSError:
        os._exit(1)
    os._exit(7)


def loosens():
    LIBC.prctl(38, 1, 0, 0, 0)
    ruleset = call(444, struct.pack("QQQ", 1, 0, 0), 24, 0)
    call(446, ruleset, 0)
    try:
        os.close(os.open(V["secret"], os.O_RDONLY))
    except OSError:
        os._exit(1)
    os._exit(7)


for act in (lambda: adds(0), lambda: adds(2), lambda: adds(8), loosens):
    pid = child(act)
    if pid:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        say("GAINED" if code == 7 else "REFUSED", "rules", code)
    else:
        tried("rules", "not without a process to lose")

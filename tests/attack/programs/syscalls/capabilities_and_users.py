"""Changes its user and groups, raises capabilities, and looks for capabilities that it still has.

gains: root's privileges
needs: x86_64
remains(none): the privileges of the portal's user
"""

status = {
    line.split(":")[0]: line.split()[-1] for line in Path("/proc/self/status").read_text().splitlines() if ":" in line
}
for name in ("CapPrm", "CapEff", "CapInh", "CapAmb", "CapBnd"):
    # An unprivileged user's bounding set harms nobody while nothing can be gained by executing.
    is_harmless = int(status[name], 16) == 0 or (name == "CapBnd" and status["NoNewPrivs"] == "1")
    say("TRIED" if is_harmless else "GAINED", name, status[name])
if status["NoNewPrivs"] != "1":
    gained("new privileges by executing")
everything = struct.pack("IIIIII", *([0xFFFFFFFF] * 6))
attempt("capset", call, 126, struct.pack("Ii", 0x20080522, 0), everything)
for name, act in {
    "setuid": lambda: os.setuid(1),
    "setgid": lambda: os.setgid(1),
    "setgroups": lambda: os.setgroups([0]),
}.items():
    pid = child(lambda act=act: (act(), os._exit(0)))
    if pid:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        tried(name, code)


def leaves_user():
    try:
        os.setuid(1 if os.getuid() == 0 else 0)
    except OSError:
        os._exit(1)
    os._exit(7)


pid = child(leaves_user)
if pid:
    say("GAINED" if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7 else "REFUSED", "another user")

"""Tries to leave its process group and session with every available call, and to join the group of others.

gains: a process outside the group that is ended
"""


def settle(act):
    try:
        act()
    except OSError:
        pass
    time.sleep(60)


for act in (
    os.setsid,
    lambda: os.setpgid(0, 0),
    lambda: os.setpgid(0, os.getpgid(os.getppid())),
    lambda: os.setpgid(0, V["canary"]),
    lambda: call(109, 0, 0) if os.uname().machine == "x86_64" else None,
    lambda: call(112) if os.uname().machine == "x86_64" else None,
    lambda: call(112 | 0x40000000) if os.uname().machine == "x86_64" else None,
):
    child(settle, act)
started = child(settle, lambda: None)
if started:
    # A parent may move its child as long as that has not started another program.
    reads("move child", os.setpgid, started, started)
time.sleep(0.2)

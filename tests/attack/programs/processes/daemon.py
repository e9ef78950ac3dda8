"""Forks twice, leaves its session and its group, closes everything, and sleeps.

gains: a process that nobody ends
"""


def leave():
    for act in (os.setsid, lambda: os.setpgid(0, 0)):
        try:
            act()
        except OSError:
            pass
    if not os.fork():
        os.chdir("/") if os.access("/", os.X_OK) else None
        time.sleep(60)


for _ in range(5):
    child(leave)

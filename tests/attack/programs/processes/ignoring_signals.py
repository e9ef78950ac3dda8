"""Leaves processes that block and ignore every signal that can be blocked or ignored.

gains: a process that nobody ends
"""


def ignore():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    time.sleep(60)


for _ in range(3):
    child(ignore)
time.sleep(0.1)

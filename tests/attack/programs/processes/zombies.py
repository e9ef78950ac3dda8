"""Leaves ended children that nobody waits for, below a parent that sleeps, and ends.

gains: a process table full of zombies
"""


def parent():
    for _ in range(20):
        if not os.fork():
            os._exit(0)
    time.sleep(60)


child(parent)
for _ in range(20):
    child(lambda: None)
time.sleep(0.1)

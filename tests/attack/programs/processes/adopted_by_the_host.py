"""Creates orphans whose new parent is the host or init, and checks whose children they are.

gains: a process that the host mistakes for its own
"""

readable, writable = os.pipe()


def orphan():
    if not os.fork():
        time.sleep(0.05)
        os.write(writable, f"{os.getppid()} ".encode())
        time.sleep(60)


for act in (lambda: None, lambda: LIBC.prctl(36, 0, 0, 0, 0), lambda: LIBC.prctl(1, 0, 0, 0, 0)):
    child(lambda act=act: (act(), orphan()))
ready = select.select([readable], [], [], 2)[0]
tried("parents", os.read(readable, 100) if ready else "none")

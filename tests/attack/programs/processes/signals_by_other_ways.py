"""Makes the kernel send signals: to a descriptor's owner, at its parent's end, by a timer, through a new session.

gains: the end of the portal's processes
only: landlock, bwrap
"""

import fcntl

ours, theirs = socket.socketpair()
for pid in (V["canary"], -V["canary"], V["suite"]):
    for command in (8, 15):
        argument = pid if command == 8 else struct.pack("ii", 1, pid)
        reads(f"owner {pid}", fcntl.fcntl, ours, command, argument)
    reads("signal", fcntl.fcntl, ours, 10, signal.SIGKILL)
    fcntl.fcntl(ours, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    theirs.send(b"x")
    time.sleep(0.05)
reads("sigqueue", lambda: call(129, V["canary"], int(signal.SIGKILL), struct.pack("iii116x", 9, 0, -1)))

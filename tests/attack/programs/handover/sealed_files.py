"""Hands over its own memory files, as links, and unseals, seals and shrinks every one that it has.

gains: a result that changes after the check, or ends while it is read
limits: timeout_s=6
repeat: 3
ends: any
"""

import fcntl

forge()
try:
    memory = os.memfd_create("page", os.MFD_ALLOW_SEALING)
    os.write(memory, b"x" * 1000)
    os.path.exists("../result.html") and os.unlink("../result.html")
    os.symlink(f"/proc/{os.getpid()}/fd/{memory}", "../result.html")
except OSError as error:
    say("REFUSED", "link", error)
for number in descriptors(stat.S_IFREG):
    for command, argument in ((1033, 0xF), (1033, 0)):
        try:
            fcntl.fcntl(number, command, argument)
            tried("seal", number)
        except OSError as error:
            say("REFUSED", f"seal {number}", error)
    if number > 2 and ROUND:
        try:
            os.ftruncate(number, 0 if ROUND == 1 else 10**9)
        except OSError as error:
            say("REFUSED", f"truncate {number}", error)
tried("memory")
tell(b"done")
time.sleep(0.1)

"""Opens as many descriptors as it can, in several processes, to leave none for others.

gains: the machine's table of open files is full
"""

import resource

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
say("TRIED" if hard <= 4096 else "GAINED", "limit", hard)
opened = []
try:
    while True:
        opened.append(os.dup(LIFELINE))
except OSError as error:
    say("REFUSED" if len(opened) <= 4096 else "GAINED", "dup", f"{len(opened)} {error}")
for each in opened:
    os.close(each)

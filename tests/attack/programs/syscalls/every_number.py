"""Makes every system call with invalid arguments, to find one that ends the host or the render.

gains: a call that the filter does not cover and that harms others
needs: x86_64
suite: attack
only: landlock, bwrap
limits: timeout_s=60
"""

# Calls that end or stop the caller, or wait: exit, pause, fork and the like.
NOT_THESE = {
    15,
    56,
    57,
    58,
    60,
    231,
    34,
    130,
    7,
    23,
    35,
    61,
    247,
    202,
    230,
    232,
    270,
    271,
    281,
    449,
    435,
    24,
    219,
    128,
    62,
    200,
    234,
    129,
}


def makes():
    for number in range(0, 470):
        if number not in NOT_THESE:
            LIBC.syscall(_ctypes.c_long(number), *[_ctypes.c_long(-1)] * 6)
    os._exit(7)


pid = child(makes)
if pid:
    tried("all", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

"""The system calls that the filter of a render knows, with their numbers and the filter's answers."""

from __future__ import annotations

import errno
import platform
import sys
from typing import Final

# linux/audit.h, by the names of `platform.machine()`. The position of each is its column in the tables below.
ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMNS: Final = {"x86_64": 0, "aarch64": 1}

Numbers = dict[str, tuple[int | None, int | None]]

# Numbers by (x86_64, aarch64), from the kernel's syscall tables.
CHECKED: Final[Numbers] = {
    "ioctl": (16, 29),
    "socket": (41, 198),
    "sendmsg": (46, 211),
    "socketpair": (53, 199),
    "setsockopt": (54, 208),
    "clone": (56, 220),
    "fork": (57, None),
    "vfork": (58, None),
    "kill": (62, 129),
    "fcntl": (72, 25),
    "personality": (135, 92),
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "prctl": (157, 167),
    "sched_setaffinity": (203, 122),
    "ioprio_set": (251, 30),
    "prlimit64": (302, 261),
    "sendmmsg": (307, 269),
    "sched_setattr": (314, 274),
}
NOT_PERMITTED: Final[Numbers] = {
    # other processes
    "ptrace": (101, 117),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    # wide or privileged parts of the kernel
    "modify_ldt": (154, None),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    # mounts and namespaces
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "mount": (165, 40),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    # the machine
    "syslog": (103, 116),
    "adjtimex": (159, 171),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "clock_settime": (227, 112),
    "kexec_load": (246, 104),
    "clock_adjtime": (305, 266),
    "finit_module": (313, 273),
    "kexec_file_load": (320, 294),
    "quotactl_fd": (443, 443),
    # files by handle, and watches: Landlock does not cover inotify, which reveals the names in others' directories
    "inotify_init": (253, None),
    "inotify_add_watch": (254, 27),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # memory and messages shared by all processes of the user
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "shmdt": (67, 197),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semtimedop": (220, 192),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
}
# ENOSYS makes programs use their fallback: libc goes from clone3, whose flags are in memory that a filter cannot read,
# to clone.
NOT_THERE: Final[Numbers] = {
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "clone3": (435, 435),
    # Memory in a memfd belongs to no process's size, so no limit on processes counts it.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}
# Landlock does not cover these, and a user may apply them to every file it owns, wherever it is: a render could lock
# the worker out of its own files, or hold a lock on a file of the environment. They are answered as if they succeeded,
# because shutil.copy, cp and tar fail if they are refused. So are setsid and setpgid, because subprocess fails
# otherwise: a process that left its group would not be ended with it.
PRETENDED: Final[Numbers] = {
    "flock": (73, 32),
    "setpgid": (109, 154),
    "setsid": (112, 157),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "utime": (132, None),
    "utimes": (235, None),
    "fchownat": (260, 54),
    "futimesat": (261, None),
    "fchmodat": (268, 53),
    "utimensat": (280, 88),
    "fchmodat2": (452, 452),
}
NOT_SUPPORTED: Final[Numbers] = {
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}
# What keeps a process in its group: these, in addition to the checks of clone and kill.
GROUP: Final[tuple[str, ...]] = ("setpgid", "setsid", "unshare", "setns", "clone3")
ANSWERS: Final = (
    (NOT_PERMITTED, errno.EPERM),
    (NOT_THERE, errno.ENOSYS),
    (PRETENDED, 0),
    (NOT_SUPPORTED, errno.EOPNOTSUPP),
)


def is_supported(machine: str = "") -> bool:
    """Whether there is a filter for an architecture; "" means that of this machine."""
    return sys.platform == "linux" and sys.byteorder == "little" and (machine or platform.machine()) in ARCHITECTURES


def number(name: str, machine: str = "") -> int:
    """Returns the number of a system call that the filter knows.

    Raises:
        KeyError: the filter does not know it, or the architecture has no such call.
    """
    column = COLUMNS[machine or platform.machine()]
    for table in (CHECKED, *(table for table, _ in ANSWERS)):
        found = table[name][column] if name in table else None
        if found is not None:
            return found
    raise KeyError(name)

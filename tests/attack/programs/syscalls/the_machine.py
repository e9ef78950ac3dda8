"""Sets clocks, loads modules and kernels, changes swap, reads the kernel's log, with harmless arguments.

gains: control of the machine
needs: x86_64
only: landlock, bwrap
"""

for name, number, *arguments in (
    ("clock_settime", 227, 0, struct.pack("qq", 0, -1)),
    ("settimeofday", 164, 0, 0),
    ("adjtimex", 159, 0),
    ("clock_adjtime", 305, 0, 0),
    ("init_module", 175, 0, 0, 0),
    ("finit_module", 313, -1, 0, 0),
    ("delete_module", 176, 0, 0),
    ("kexec_load", 246, 0, 0, 0, 0),
    ("kexec_file_load", 320, -1, -1, 0, 0, 0),
    ("swapon", 167, b"/nonexistent", 0),
    ("swapoff", 168, b"/nonexistent"),
    ("reboot", 169, 0, 0, 0, 0),
    ("syslog", 103, 10, 0, 0),
    ("acct", 163, b"/nonexistent"),
    ("quotactl", 179, 0, 0, 0, 0),
    ("sethostname", 170, 0, 0),
    ("setdomainname", 171, 0, 0),
    ("iopl", 172, 3),
    ("ioperm", 173, 0, 1, 1),
    ("vhangup", 153),
    ("lookup_dcookie", 212, 0, 0, 0),
    ("nfsservctl", 180, 0, 0, 0),
):
    reaches(name, number, *arguments)

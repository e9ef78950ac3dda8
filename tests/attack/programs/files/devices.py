"""Opens devices: disks, memory, terminals, kernel messages, the tunnel device.

gains: access to the machine's disks and memory
remains(none): devices that the portal's user can open
"""

for path in (
    "/dev/mem",
    "/dev/kmsg",
    "/dev/vda",
    "/dev/sda",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/fuse",
    "/dev/net/tun",
    "/dev/kvm",
    "/dev/loop-control",
):
    if os.path.exists(path):
        attempt(path, lambda path=path: os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY))
attempt("mknod", os.mknod, "disk", stat.S_IFBLK | 0o600, os.makedev(254, 0))
attempt("open node", lambda: os.open("disk", os.O_RDONLY))

"""Mounts, changes the root, and uses the newer mount calls, with harmless arguments.

gains: other files at the allowed paths
needs: x86_64
remains(none): what the kernel allows the portal's user
"""

reaches("mount", 165, 0, 0, 0, 0, 0)
reaches("umount2", 166, 0, 0)
reaches("pivot_root", 155, 0, 0)
reaches("chroot", 161, 0)
for name, number in {
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "mount_setattr": 442,
    "open_tree_attr": 467,
}.items():
    reaches(name, number, -1, 0, 0, 0, 0)
for name, number in {"statmount": 457, "listmount": 458}.items():
    request = struct.pack("IIQQ", 24, 0, 0xFFFFFFFFFFFFFFFF, 0x22)
    # Mounts of the machine, without /proc.
    reads(name, call, number, request, _ctypes.create_string_buffer(4096), 512, 0)

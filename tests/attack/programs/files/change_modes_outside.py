"""Changes mode, owner, times and extended attributes of an outside file, by path, descriptor and /proc.

gains: the portal's files are open to others, or closed to the portal
remains(none): the modes of every file of the portal's user
"""

victim = V["victim"]
for name, act in {
    "chmod": lambda: os.chmod(victim, 0o777),
    "fchmodat": lambda: os.chmod(os.path.basename(victim), 0o777, dir_fd=os.open(V["outside"], os.O_PATH)),
    "fchmod": lambda: os.fchmod(os.open(victim, os.O_RDONLY), 0o777),
    "through descriptor": lambda: os.chmod(f"/proc/self/fd/{os.open(victim, os.O_PATH)}", 0o777),
    "chown": lambda: os.chown(victim, 1, 1),
    "lchown": lambda: os.lchown(victim, 1, 1),
    "utime": lambda: os.utime(victim, (1, 1)),
    "setxattr": lambda: os.setxattr(victim, "user.attack", b"1"),
    "removexattr": lambda: os.removexattr(victim, "user.none"),
    "fchmodat2": lambda: call(452, -100, victim.encode(), 0o777, 0),
    "ioctl flags": lambda: __import__("fcntl").ioctl(os.open(victim, os.O_RDONLY), 0x40086602, struct.pack("l", 0x40)),
}.items():
    # An answer alone is no proof: some are answered as if done. The suite looks at the file.
    reads(name, act)

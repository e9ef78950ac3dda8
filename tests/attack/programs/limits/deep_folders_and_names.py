"""Creates a tree of folders 3,000 deep, with names that other programs do not expect.

gains: a directory that cannot be removed
ends: succeeded, user_error, disk_full
limits: timeout_s=20
suite: attack
"""

tried("tree")
top = os.open(".", os.O_RDONLY)
for name in (b"\xff\xfe", b"new\nline", b"-rf", b"\x1b[2J", b"a" * 255):
    os.mkdir(name, 0o0)
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
os.fchdir(top)

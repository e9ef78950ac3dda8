"""Starts chains with clone flags for namespaces, another parent, shared memory and no signal at the end.

gains: a process that is not a descendant of its render
needs: chain
ends: succeeded, too_many_processes
repeat: 5
suite: attack
"""

NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
# CLONE_PARENT, CLONE_VM, CLONE_VM | CLONE_VFORK, CLONE_FILES | CLONE_FS, CLONE_UNTRACED, CLONE_DETACHED
for flags in (*NAMESPACES, 0x10000000 | 0x20000000, 0x8000, 0x100, 0x100 | 0x4000, 0x600, 0x800000, 0x400000):
    chain(300, "/bin/sleep", "60", flags=flags | 17)
chain(300, "/bin/sleep", "60", flags=0)

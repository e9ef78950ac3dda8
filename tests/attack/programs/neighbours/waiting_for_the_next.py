"""Leaves a process that waits for the next render of the host and tries to open its files and memory.

gains: access to another person's render
needs: chain
repeat: 10
ends: succeeded, too_many_processes
"""

script = "i=0; while [ $i -lt 3000 ]; do for d in ../../render-*/work; do echo taken > $d/taken; done; i=$((i+1)); done"
chain(800, "/bin/sh", "-c", script)
child(lambda: subprocess.run(["/bin/sh", "-c", script]))
# === next render ===
tried("wait")
time.sleep(0.4)
if os.path.exists("taken"):
    gained("taken", open("taken").read())

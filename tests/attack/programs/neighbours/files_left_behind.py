"""Leaves files in every folder that it can write to, and looks for them in the next render.

gains: a way to pass data from one render to another
remains(none): every folder that the portal's user can write to
"""

import glob

for folder in (
    "/tmp",
    "/dev/shm",
    "/var/tmp",
    "/dev/mqueue",
    os.environ.get("TMPDIR", "."),
    os.path.expanduser("~"),
    tempfile.gettempdir(),
    sys.prefix,
    "../..",
):
    try:
        with open(f"{folder}/left-{V['base'].rpartition('-')[2]}", "w") as file:
            file.write("left")
        tried(folder)
    except OSError as error:
        say("REFUSED", folder, error)
# === next render ===
for folder in (
    "/tmp",
    "/dev/shm",
    "/var/tmp",
    "/dev/mqueue",
    os.environ.get("TMPDIR", "."),
    os.path.expanduser("~"),
    tempfile.gettempdir(),
    sys.prefix,
    "../..",
):
    path = f"{folder}/left-{V['base'].rpartition('-')[2]}"
    if os.path.exists(path):
        gained(folder, open(path).read())
        os.unlink(path)
tried("folders")

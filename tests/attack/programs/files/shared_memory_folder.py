"""Writes to folders that all users share: /dev/shm, /tmp, /var/tmp, /run.

gains: files that outlive the render and that others may trip over
remains(none): every folder that the portal's user may write
"""

for folder in ("/dev/shm", "/tmp", "/var/tmp", "/run", "/run/lock", "/dev/mqueue", "/run/user/0"):
    path = f"{folder}/attack-{V['mark']}"
    try:
        open(path, "w").close()
    except OSError as error:
        say("REFUSED", folder, error)
    else:
        gained(folder)
        os.unlink(path)

"""Writes to folders that all users share: /dev/shm, /tmp, /var/tmp, /run.

gains: files that outlive the render and that can confuse other programs
remains(none): every folder that the portal's user can write to
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

"""Opens a path with O_PATH, and opens the descriptor again through /proc/self/fd.

gains: the value of a secret
remains(none): every file that the portal's user can read
"""

for path in (*V["secrets"], V["data"]):
    try:
        handle = os.open(path, os.O_PATH)
    except OSError as error:
        say("REFUSED", path, error)
        continue
    tried(path, handle)
    reads("again", read, f"/proc/self/fd/{handle}")
    reads("below", lambda handle=handle: os.read(os.open("secret_key", os.O_RDONLY, dir_fd=handle), 100))
    reads("empty", lambda handle=handle: os.read(os.open("", os.O_RDONLY, dir_fd=handle), 100))

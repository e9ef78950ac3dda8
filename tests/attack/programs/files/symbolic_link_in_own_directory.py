"""Creates links to secrets in its own directory, and reads through them, also with programs that it starts.

gains: the value of a secret
remains(none): every file that the portal's user can read
"""

for number, path in enumerate(V["secrets"]):
    attempt_link = f"link{number}"
    os.symlink(path, attempt_link)
    reads("through", read, attempt_link)
    reads("cat", subprocess.run, ["cat", attempt_link], None)
    reads("program", lambda: subprocess.run(["/bin/cat", attempt_link], capture_output=True).stdout)
os.symlink(V["data"], "folder")
reads("folder", read, "folder/secret_key")

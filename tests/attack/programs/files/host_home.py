"""Writes to the home directory of its host, which may contain the caches of the next renders.

gains: its files are read by the next render
remains(none): the host's home directory
"""

import glob

homes = {
    os.path.expanduser("~root"),
    *glob.glob(f"{tempfile.gettempdir()}/vizportal-host-*"),
    *glob.glob("/tmp/vizportal-host-*"),
}
try:
    homes |= {
        text.split(b"=", 1)[1].decode()
        for text in read(f"/proc/{os.getppid()}/environ").split(b"\0")
        if text[:5] == b"HOME="
    }
except OSError as error:
    say("REFUSED", "environ", error)
tried("homes", homes)
for home in homes:
    try:
        Path(home, ".attack").write_text("")
        gained(f"create in {home}")
        Path(home, ".attack").unlink()
    except OSError as error:
        say("REFUSED", home, error)

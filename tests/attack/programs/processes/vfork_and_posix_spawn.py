"""Starts processes with vfork and posix_spawn, with another session and group where possible.

gains: a process that nobody ends
"""

environ = dict(os.environ)
for options in ({}, {"setsid": True}, {"setpgroup": 0}):
    try:
        tried("spawn", os.posix_spawn("/bin/sleep", ["sleep", "60"], environ, **options))
    except OSError as error:
        say("REFUSED", f"spawn {options}", error)
try:
    tried("vfork", subprocess.Popen(["/bin/sleep", "60"], pass_fds=(LIFELINE,)).pid)
except OSError as error:
    say("REFUSED", "vfork", error)

"""Writes into files that are open only inside an undelivered message.

gains: disk space above the limit that no list of open files shows
limits: max_disk_bytes=104857600 timeout_s=20
ends: disk_full, user_error, kernel_died
remains(none): disk space of removed files whose descriptors are in undelivered messages
"""

tried("disk")
ours, theirs = socket.socketpair()
total = 0
for number in range(4):
    with open(f"hidden{number}", "w+b") as file:
        os.unlink(f"hidden{number}")
        for _ in range(60):
            file.write(bytes(1024**2))
        file.flush()
        total += os.fstat(file.fileno()).st_blocks * 512
        socket.send_fds(ours, [b"x"], [file.fileno()])
time.sleep(3)
gained("disk", total)

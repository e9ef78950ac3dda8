"""Reads the memory of another process through /proc/PID/mem, process_vm_readv and a new mapping of its descriptors.

gains: secrets in the memory of the portal's processes
needs: x86_64
remains(none): memory of the processes of the portal's user
"""


def memory_of(pid):
    for line in read(f"/proc/{pid}/maps", 100_000).decode().splitlines():
        if "[stack]" in line:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            with open(f"/proc/{pid}/mem", "rb", 0) as file:
                file.seek(end - 8192)
                return file.read(8192)


reads("mem", memory_of, V["canary"])
reads("mem of parent", memory_of, os.getppid())
attempt("write mem", lambda: os.open(f"/proc/{V['canary']}/mem", os.O_WRONLY))
buffer = _ctypes.create_string_buffer(64)
for pid in (V["canary"], os.getppid()):
    vector = struct.pack("QQ", _ctypes.addressof(buffer), 64)
    reaches(f"process_vm_readv {pid}", 310, pid, vector, 1, struct.pack("QQ", 4096, 64), 1, 0)

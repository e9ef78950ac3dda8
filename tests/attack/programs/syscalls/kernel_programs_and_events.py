"""Calls bpf, perf_event_open and userfaultfd, and opens the device of userfaultfd.

gains: programs in the kernel, counters of others, or reliable races
needs: x86_64
remains(none): what the kernel allows the portal's user
"""

reaches("bpf", 321, 0, _ctypes.create_string_buffer(128), 128)
for kind in (0, 1, 2):
    reaches(f"perf_event_open {kind}", 298, struct.pack("IIQ", kind, 128, 0) + bytes(112), 0, -1, -1, 0)
for flags in (0, 1):
    reaches(f"userfaultfd {flags}", 323, flags)
attempt("/dev/userfaultfd", lambda: os.open("/dev/userfaultfd", os.O_RDWR))

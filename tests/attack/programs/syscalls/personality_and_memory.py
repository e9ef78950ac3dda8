"""Switches off memory layout randomization, requests executable heaps, maps the first page, locks much memory.

gains: a known memory layout, for the next attack
remains(none): the render's own memory layout
"""

for value in (0x0040000, 0x0400000, 0x0100000, 0x8):
    attempt(f"personality {value:#x}", lambda value=value: call(135, value) if os.uname().machine == "x86_64" else 0)
import mmap

try:
    LIBC.mmap.restype = _ctypes.c_void_p
    found = LIBC.mmap(_ctypes.c_void_p(0), 4096, 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x10, -1, 0)
    say("GAINED" if found in (None, 0) else "REFUSED", "first page", found)
except OSError as error:
    say("REFUSED", "first page", error)
block = mmap.mmap(-1, 64 * 1024**2)
locked = LIBC.mlock(_ctypes.c_void_p(_ctypes.addressof(_ctypes.c_char.from_buffer(block))), 64 * 1024**2)
say("REFUSED" if locked else "GAINED", "64 MB locked", locked)
for name, number in {"memfd_secret": 447, "modify_ldt": 154}.items():
    reads(name, call, number, 0, 0, 0)

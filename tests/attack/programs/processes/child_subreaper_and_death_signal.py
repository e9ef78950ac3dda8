"""Switches off the mechanisms that end it with its host: the parent death signal and the reaper of its orphans.

gains: it outlives its host
remains(none): switching off the signal that ends the render with its host
"""

value = _ctypes.c_int(-1)
LIBC.prctl(2, _ctypes.byref(value), 0, 0, 0)
before = value.value
for option, argument in ((1, 0), (36, 0), (4, 1), (4, 0), (0x59616D61, -1)):
    reads(f"prctl {option}", LIBC.prctl, option, _ctypes.c_long(argument), 0, 0, 0)
LIBC.prctl(2, _ctypes.byref(value), 0, 0, 0)
if before and not value.value:
    gained("no signal at the host's end")
if not os.access("/proc/self/environ", os.R_OK):
    tried("hidden from itself")

"""Makes system calls with int 0x80 and with x32 numbers, which differ from the numbers in the filter.

gains: every system call past the filter
needs: x86_64
remains(none): every system call
"""

import mmap


def through_int_80():
    # mov eax, 20 (getpid of i386); int 0x80; ret
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    function = _ctypes.CFUNCTYPE(_ctypes.c_int)(_ctypes.addressof(_ctypes.c_char.from_buffer(memory)))
    os._exit(7 if function() == os.getpid() else 1)


def through_x32():
    os._exit(7 if LIBC.syscall(_ctypes.c_long(39 | 0x40000000)) == os.getpid() else 1)


for act in (through_int_80, through_x32):
    pid = child(act)
    if pid:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        say("GAINED" if code == 7 else "REFUSED", act.__name__, code)
    else:
        tried(act.__name__, "not without a process to lose")

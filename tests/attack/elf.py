"""A static program of 148 bytes that repeatedly forks and exits, and finally executes another program.

    chain COUNT FLAGS PROGRAM [ARGUMENT...]

Each process lives for one system call, about 0.1 ms, so a snapshot of /proc hardly ever shows the chain. It needs no
library and no writable file except itself. FLAGS are those of clone(2), with 17 (SIGCHLD) for fork. If the kernel
refuses them, the chain continues with plain forks, and exits with 9 if it refuses these too.
"""

import struct
from typing import Final

SIGCHLD: Final = 17
# The machine code of CHAIN_SOURCE. If `as` is installed, a test assembles the source and compares.
CHAIN_CODE: Final = bytes.fromhex(
    "4989e7498b7710e8710000004989c4498b7718e8650000004989c54d85e4744449ffccb8380000004c89ef31f631d24531d24531c00f05"
    "4885c074df780931ffb8e70000000f054983fd11740b41bd1100000049ffc4ebc3bf09000000b8e70000000f05498b7f20498d7720498b0f"
    "498d54cf10b83b0000000f05ebdb31c00fb60e83e930780c486bc00a4801c848ffc6ebecc3"
)
CHAIN_SOURCE: Final = """
.intel_syntax noprefix
.globl _start
_start:
    mov  r15, rsp            # argc, argv, environment
    mov  rsi, [r15+16]       # argv[1]
    call number
    mov  r12, rax            # processes that are still to come
    mov  rsi, [r15+24]       # argv[2]
    call number
    mov  r13, rax            # flags of clone
next:
    test r12, r12
    jz   last
    dec  r12
    mov  eax, 56             # clone(flags, 0, 0, 0, 0)
    mov  rdi, r13
    xor  esi, esi
    xor  edx, edx
    xor  r10d, r10d
    xor  r8d, r8d
    syscall
    test rax, rax
    jz   next                # the new process goes on
    js   plain
    xor  edi, edi
    mov  eax, 231            # the old one: exit_group(0)
    syscall
plain:                       # refused with these flags: again as a plain fork
    cmp  r13, 17
    je   fail
    mov  r13d, 17
    inc  r12
    jmp  next
fail:
    mov  edi, 9
    mov  eax, 231            # exit_group(9)
    syscall
last:
    mov  rdi, [r15+32]       # argv[3]
    lea  rsi, [r15+32]
    mov  rcx, [r15]
    lea  rdx, [r15+rcx*8+16] # the environment begins behind the arguments
    mov  eax, 59             # execve
    syscall
    jmp  fail
number:                      # the decimal number at rsi, in rax
    xor  eax, eax
digit:
    movzx ecx, byte ptr [rsi]
    sub  ecx, 48
    js   done
    imul rax, rax, 10
    add  rax, rcx
    inc  rsi
    jmp  digit
done:
    ret
"""
_BASE: Final = 0x400000
_HEADERS: Final = 64 + 56


def build(code: bytes = CHAIN_CODE) -> bytes:
    """Returns an executable for x86-64 Linux: an ELF header, one loadable segment, and the code."""
    size = _HEADERS + len(code)
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = identity + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 4096)
    return header + segment + code

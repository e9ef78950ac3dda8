# Definitions for every attack program: this text is the first cell of its render.
#
# It keeps the lifeline open, a FIFO of the trusted side. Every process that the render starts inherits it, so the
# kernel itself tells afterwards whether one of them is left (survivors.py).
import ctypes as _ctypes
import errno
import json
import os
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

V = variables
LIFELINE = os.open(V["lifeline"], os.O_RDONLY | os.O_NONBLOCK)
os.set_inheritable(LIFELINE, True)
os.environ["ATTACK_MARK"] = V["mark"]
ROUND = V["round"]
REFUSALS = {errno.EPERM, errno.EACCES, errno.ENOSYS}
LIBC = _ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = _ctypes.c_long
# A chain of forks in a full process table must not block the suite forever.
DEADLINE = time.monotonic() + 60


def say(word, name, text=""):
    print(word, name, str(text)[:4000], flush=True)


def gained(name, text=""):
    say("GAINED", name, text)


def tried(name, text=""):
    say("TRIED", name, text)


def attempt(name, act, *arguments):
    """Makes a call whose success is a gain. Returns its result, or None if it was refused."""
    try:
        found = act(*arguments)
    except BaseException as error:
        say("REFUSED", name, f"{type(error).__name__}: {error}")
        return None
    gained(name, repr(found))
    return found


def reads(name, act, *arguments):
    """Prints the result of a call. The suite searches it for secrets."""
    try:
        tried(name, repr(act(*arguments)))
    except BaseException as error:
        say("REFUSED", name, f"{type(error).__name__}: {error}")


def read(path, size=4000):
    with open(path, "rb") as file:
        return file.read(size)


def call(number, *arguments):
    """Makes a system call by its number."""
    values = [_ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = LIBC.syscall(_ctypes.c_long(number), *values)
    if result < 0:
        code = _ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def reaches(name, number, *arguments):
    """Makes a system call with invalid arguments, which must be refused before the arguments are checked."""
    try:
        found = call(number, *arguments)
    except OSError as error:
        say("REFUSED" if error.errno in REFUSALS else "GAINED", name, error)
    else:
        gained(name, found)


def chain(count, *command, flags=17, session=True):
    """Starts the forking program, whose last process becomes `command`. Returns the first process as a Popen."""
    if not os.path.exists("chain"):
        # Set the mode here, since chmod may succeed without any effect.
        descriptor = os.open("chain", os.O_WRONLY | os.O_CREAT, 0o700)
        os.write(descriptor, bytes.fromhex(V["chain"]))
        os.close(descriptor)
    arguments = ["./chain", str(count), str(flags), *command]
    for new_session in (session, False):
        try:
            started = subprocess.Popen(
                arguments, start_new_session=new_session, pass_fds=(LIFELINE,), stdin=subprocess.DEVNULL
            )
        except OSError as error:
            say("REFUSED", "start", error)
        else:
            tried("chain", f"{count} {command}")
            return started
    return None


def descriptors(*kinds):
    """Returns all open descriptors of these kinds (S_IFSOCK, ...). It tries each number, since /proc may be hidden."""
    found = []
    for number in range(1024):
        try:
            mode = os.fstat(number).st_mode
        except OSError:
            continue
        if not kinds or stat.S_IFMT(mode) in kinds:
            found.append(number)
    return found


def tell(message):
    """Writes a message to every inherited descriptor that is a socket or a pipe."""
    for number in descriptors(stat.S_IFSOCK, stat.S_IFIFO):
        if number > 2 and number != LIFELINE:
            try:
                os.set_blocking(number, False)
                os.write(number, message)
                tried("tell", number)
            except OSError as error:
                say("REFUSED", f"tell {number}", error)


def forge(page=b"<p>forged</p>", state="succeeded"):
    """Writes a page and an exit status to the places of a render."""
    for name, content in (("result.html", page), ("result.json", json.dumps({"state": state, "cells": 1}).encode())):
        try:
            with open(f"../{name}", "wb") as file:
                file.write(content)
        except OSError as error:
            say("REFUSED", f"forge {name}", error)


def child(act, *arguments):
    """Forks a child that calls `act` and exits. Returns its process id, or None if forks are refused."""
    try:
        pid = os.fork()
    except OSError as error:
        say("REFUSED", "fork", error)
        return None
    if not pid:
        try:
            signal.alarm(60)
            act(*arguments)
        finally:
            os._exit(0)
    tried("fork", pid)
    return pid

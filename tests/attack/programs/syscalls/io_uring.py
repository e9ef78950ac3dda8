"""Sets up io_uring, whose requests no filter sees.

gains: file and socket operations past the filter
needs: x86_64
remains(none): io_uring
"""

parameters = _ctypes.create_string_buffer(120)
reaches("io_uring_setup", 425, 4, parameters)
reaches("io_uring_enter", 426, -1, 0, 0, 0, 0, 0)
reaches("io_uring_register", 427, -1, 0, 0, 0)

"""Reads, adds and requests keys of the kernel's keyrings.

gains: keys of the user's session
needs: x86_64
remains(none): the user's keyrings
"""

reaches("add_key", 248, b"user", b"attack", b"x", 1, -1)
reaches("request_key", 249, b"user", b"attack", 0, -1)
for ring in (-1, -2, -3, -4, -5):
    reaches(f"keyctl {ring}", 250, 0, ring, 0)

"""Links outside files into its own directory, or moves them there.

gains: the value of a secret, or the portal's file itself
remains(none): every file that the portal's user can read or move
"""

attempt("link", os.link, V["secret"], "hard")
reads("hard", read, "hard")
attempt(
    "through descriptor",
    lambda: os.link(f"/proc/self/fd/{os.open(V['secret'], os.O_PATH)}", "hard2", follow_symlinks=True),
)
reads("hard2", read, "hard2")
attempt("exchange", call, 316, -100, V["victim"].encode(), -100, b"chain", 2)

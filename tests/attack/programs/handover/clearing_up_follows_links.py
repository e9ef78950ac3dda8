"""Leaves links, and replaces folders by links, while its directory is being removed.

gains: removal of outside files
needs: chain
limits: timeout_s=30
repeat: 20
ends: any
"""

for number in range(200):
    os.makedirs(f"deep/{number}/below", exist_ok=True)
    os.symlink(V["outside"], f"deep/{number}/link")
own = os.getcwd()
script = f"for i in $(seq 0 199); do rm -rf {own}/deep/$i/below; ln -s {V['outside']} {own}/deep/$i/below; done"
chain(200 + 50 * (ROUND % 20), "/bin/sh", "-c", script)
tried("folders")

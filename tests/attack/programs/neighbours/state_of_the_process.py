"""Changes modules, environment, signal handlers and limits, and looks for the changes in the next render.

gains: its code runs in another person's render
"""

import builtins
import resource

import pandas

builtins.attack = pandas.attack = sys.attack = 1
os.environ["ATTACK_LEFT"] = "1"
sys.modules["attack_left"] = sys
sys.path.insert(0, os.getcwd())
sys.meta_path.insert(0, type("Finder", (), {"find_spec": staticmethod(lambda *_: None), "attack": 1}))
signal.signal(signal.SIGUSR1, lambda *_: None)
os.umask(0)
resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
get_ipython().run_line_magic("alias", "attack echo")
tried("state")
# === next render ===
import builtins
import resource

import pandas

for name, found in {
    "modules": any(hasattr(each, "attack") for each in (builtins, pandas, sys)) or "attack_left" in sys.modules,
    "environment": "ATTACK_LEFT" in os.environ,
    "finder": any(hasattr(each, "attack") for each in sys.meta_path),
    "handler": signal.getsignal(signal.SIGUSR1) != signal.SIG_DFL,
    "limit": resource.getrlimit(resource.RLIMIT_NOFILE)[1] == 512,
    "umask": os.umask(0o77) == 0,
}.items():
    say("GAINED" if found else "TRIED", name)

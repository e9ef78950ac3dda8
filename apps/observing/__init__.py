"""How the portal is seen from outside: ids in log lines, counts and durations, traces.

The lowest room: it knows requests and a queue server's pipeline, and neither runs nor visualizations.
"""

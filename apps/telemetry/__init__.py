"""Telemetry: log lines with ids, metrics for Prometheus, traces by OpenTelemetry.

The lowest app: it imports no other app. Apps above register what `/metrics` reads from them (exposition.py).
"""

"""One machine's processes: what `manage.py up` starts, watches and stops."""

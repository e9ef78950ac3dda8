"""The processes of one machine: `manage.py up` starts, supervises and stops them."""

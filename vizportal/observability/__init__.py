"""What the whole portal tells a monitoring system: the families of `/metrics` that need the rooms, and its door."""

"""Elements of every page: icons, states, formats and template tags. Imports no other app."""

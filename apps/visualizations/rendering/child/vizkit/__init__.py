"""What visualization types share: reading a source, putting figures on the page. Their code imports it, in a render.

A type's file stays one screen of code that says what it draws; how a file is found, a table read, an axis drawn or a
value escaped is here, once. Custom code may import it too. It runs in every environment, so each module imports
only what that module needs, and no module imports anything of the portal.
"""

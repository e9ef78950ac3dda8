"""What every page is drawn with: icons, states, formats and template tags. Imports no other app."""

"""Pages of links: for their creators, and for their holders."""

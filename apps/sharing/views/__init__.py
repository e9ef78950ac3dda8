"""Pages of links: for those who make them, and for those who hold them."""

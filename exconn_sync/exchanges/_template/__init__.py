"""A driver to copy: of an exchange that does not exist, small and complete. See the guide "Add an exchange"."""

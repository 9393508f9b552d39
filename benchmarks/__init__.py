"""What the library costs, measured; each subject is a package of its own. See ``README.md``."""

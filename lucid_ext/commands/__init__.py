"""The commands of `python -m lucid_ext`, a module each; what they work with is imported when they run."""

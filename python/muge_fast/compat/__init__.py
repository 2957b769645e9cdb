"""Drop-in replacements for other packages: the same classes and results under another import."""

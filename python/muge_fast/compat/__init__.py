"""Drop-ins for other packages: the same classes and numbers under another import."""

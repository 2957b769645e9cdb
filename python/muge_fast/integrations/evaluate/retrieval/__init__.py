"""A folder that evaluate loads: it copies the module of the same name, and reads its imports line by line."""

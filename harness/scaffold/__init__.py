"""A new task that works: the files from which its author goes on."""

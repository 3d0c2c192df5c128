"""What students get of an assignment: a folder in which they mark their own work.

``contents`` says which files go into it, ``private`` what keeps it from being made, ``writing``
puts it on the disk, whole or not at all; ``pages`` holds the files that a handout has of its own.
"""

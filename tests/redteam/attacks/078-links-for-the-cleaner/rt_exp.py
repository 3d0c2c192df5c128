# @include:attempt@

import os

attempt(lambda: os.symlink("@witness_folder@", "folder"))
attempt(lambda: os.symlink("@witness_file@", "file"))
os.makedirs("a/b/c")
attempt(lambda: os.symlink("@witness_folder@", "a/b/c/folder"))
attempt(lambda: os.chmod("a/b/c", 0))
attempt(lambda: os.chmod("a", 0))

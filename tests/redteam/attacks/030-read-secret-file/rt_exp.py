# @include:attempt@

from pathlib import Path

attempt(lambda: Path("@secret_file@").read_text())
attempt(lambda: [path.read_text() for path in Path("@secret_folder@").iterdir()])

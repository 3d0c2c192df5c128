"""Sets of images that measurements work with, and the laws by which they are disguised.

A task asks for a set by its name in task.yaml. The set that comes with the harness is known to
every student, so what counts towards a mark is a deformed copy, drawn under the key of the phase,
or comes from a drawn source of which nobody can know anything at home
(:mod:`harness.images.source`).
"""

from harness.images.bundled import Name, load, signature
from harness.images.records import Images
from harness.images.source import Source

__all__ = ["Images", "Name", "Source", "load", "signature"]

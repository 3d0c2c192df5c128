"""Sets of images that measurements work with, and the laws by which they are disguised.

A task asks for a set by its name in task.yaml. The set that comes with the harness is known to
every student, so what counts towards a mark is a deformed copy, drawn under the key of the phase.
"""

from harness.images.bundled import Name, load, signature
from harness.images.records import Images

__all__ = ["Images", "Name", "load", "signature"]

"""Fairmark: a reproducible benchmark and grading harness for stochastic exercises.

The stages of a grading run are the modules of this package, in this order:
``spec -> plan -> collect -> score -> report``.
"""

__version__ = "0.1.0"

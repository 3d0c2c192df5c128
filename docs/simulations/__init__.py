"""What docs/plots.py draws: one function a statistic, registered by its module's name.

Decisions are the library's. Where calling a stage so often would take hours, a formula over arrays
stands in for it, and :func:`simulations.base.agree` stops the run unless both give the same figures
on 200 samples.
"""

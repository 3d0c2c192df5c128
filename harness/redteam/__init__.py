"""The red team: attacks, run as ordinary submissions, and what they reached at every level.

:mod:`model` is an attack as its folder describes it, :mod:`bait` what is laid out for it to reach,
:mod:`grader` the grading run that it meets, :mod:`traces` what it left in the results, :mod:`run`
the rounds over attacks and levels, :mod:`table` how they are printed and written.
"""

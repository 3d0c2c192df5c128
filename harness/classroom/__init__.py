"""A class beside its programs: who is in it, when they handed in, and what people decided.

========== =================================================================================
table      tables that spreadsheets wrote, as instructors hand them over
roster     who is expected, in which group, and shown as whom
gradescope what Gradescope's exports say of submissions
times      when work was handed in: a table of times, or the metadata of Gradescope
attempts   which attempts of a student count
extensions who has other dates, and why
handing_in whose a submission is, and whether it counts
lateness   how late it is and what that costs, over a whole term
term       the mark of a term, the lowest assignments dropped
overrides  points that a person gave beside the computed ones
regrade    whose marks change, by which check and why
book       all of that put into a gradebook
items      item analysis: difficulty and discrimination of every check
findings   hints that many got, checks without a mark, files that could not be loaded
summary    a class at a glance, from its record and the stored observations
rates      what a check declares about its errors
account    all there is about one mark
========== =================================================================================

Nothing here runs or decides checks: the computed marks stay as they are.
"""

"""Autograders for platforms: what is uploaded there, and what runs there.

:mod:`contents` says which files an autograder holds. :mod:`on_gradescope` and :mod:`on_classroom50`
run on the platform: each starts ``grade`` in a process of its own and writes the platform's file of
results, also where grading breaks. Marks made there are of the public phase: no key of the course
is ever uploaded.
"""

"""Learning platforms: their own tables read, filled and written again, and feedback sent back.

=============== ================================================================================
sheet           a table as a platform exported it; what is not changed stays as it is, to the byte
layout          what the tables of all platforms have in common: people, and a column of grades
canvas          Canvas's gradebook
moodle          Moodle's offline grading worksheet
matching        whose row is whose; nobody is guessed
filling         marks put into a table
importing       who handed in what, as a download and the table beside it tell
attempt_times   when it was handed in, as Canvas's API or Moodle's worksheet tells
import_tables   the roster and the table of times that are written of both
feedback        archives of feedback pages with the names that a platform finds students by
=============== ================================================================================
"""

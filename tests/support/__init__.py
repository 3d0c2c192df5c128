"""Helpers of the tests: imported as ``tests.support``; nothing here is collected.

platforms  tables and downloads as Canvas, Moodle and Gradescope export them
programs   the tasks of the repository, programs made from their files, gradings in this process
tensors    short constructors, and moments of estimators by quadrature
toy        the linear Gaussian model whose figures several tasks quote
"""

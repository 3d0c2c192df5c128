"""What runs inside the sandbox, on the other side of the trust boundary.

Nothing here is trusted by the grader: the checks made in this package give good messages, and the
grader makes its own.
"""

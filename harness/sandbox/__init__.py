"""The processes that run submitted code, and the grader's hold on them."""

"""Proofs about the grader itself: known mistakes are caught, declared error rates are kept."""

"""Decisions from stored observations: what is decided, what is still wanted, what is said of it."""

"""Stored reference distributions (:mod:`stored`), and the training that makes them."""

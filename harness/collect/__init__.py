"""The only stage that runs submitted code: trials in, observations out."""

"""One module a verb of the command line: ``run(args) -> exit code``."""

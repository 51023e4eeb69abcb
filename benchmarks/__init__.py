"""One file a promise, each against its peer or ceiling in the same run."""

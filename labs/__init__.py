"""Labs: runnable architectures, each in a folder of the catalog and each run in a child process under limits."""

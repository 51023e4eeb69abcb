"""Exchange with other programs: a file is read in a child process, compared with what is there, reported, then taken.

Its other direction writes a bank in another program's format, and says what that format cannot carry.
"""

"""The server as a process: its roles, its loops, its first key."""

"""The server's edge over HTTP: one sub-application for each dialect, with its own wire models and shape of errors."""

"""Where outside data lies: object storage, a folder that behaves like it, and how new data is published there."""

"""NexusOne's dialect of the API."""

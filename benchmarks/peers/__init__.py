"""What a user would take instead, set up as its documentation says, for the same small task."""

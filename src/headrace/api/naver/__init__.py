"""The vendor's Data Flow API: `/api/v1`, as three generations of its documentation have it."""

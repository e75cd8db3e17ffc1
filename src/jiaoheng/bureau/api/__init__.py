"""The door for programs: `/api/v1`, the same doors, scopes, masks, entries and actions as the pages."""

"""The logins room."""

"""Records logins at real mail, file, directory and shell servers, for the tests of the login adapters.

See README.md beside this file. The package is a tool: it needs root and Debian packages, and ships in no wheel.
"""

"""The error tree. Built-in exceptions are for our own bugs; these are for operators and for hostile bytes."""


class LapwingError(Exception):
    """An operator can act on it; the message says what to do."""


class SettingsError(LapwingError):
    """A setting is wrong; the message names its key path and what would be right."""


class SourceError(LapwingError):
    """A file, pipe or interface cannot be read; the message names it."""


class PluginError(LapwingError):
    """A plugin cannot be loaded or was switched off."""


class StoreError(LapwingError):
    """The store refused to read or write."""


class CollectorError(LapwingError):
    """The callback collector cannot serve."""


class WireError(ValueError):
    """Bytes do not fit the format. Never leaves `wire`, `protocols` and `callbacks`."""

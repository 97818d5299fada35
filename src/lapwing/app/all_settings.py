"""The whole tree of settings; a module of its own, as importing the callbacks' room takes a while."""

from lapwing.callbacks import ClientSettings
from lapwing.sessions import PipelineSettings


class AllSettings(PipelineSettings, frozen=True, forbid_unknown_fields=True):
    """The pipeline's sections, and that of the callback client."""

    callbacks: ClientSettings = ClientSettings()

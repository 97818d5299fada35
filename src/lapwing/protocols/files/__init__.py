"""Files inside of messages: their size, kind and digests, from bytes that are looked at once and never kept.

Nothing of this is made unless somebody asks for files.
"""

from lapwing.protocols.files.bodies import body_reader, form_reader
from lapwing.protocols.files.entities import Entities
from lapwing.protocols.files.reader import FileReader

__all__ = ["Entities", "FileReader", "body_reader", "form_reader"]

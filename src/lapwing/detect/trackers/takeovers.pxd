cimport cython
cimport lapwing.detect.slabs as slabs
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Row
from lapwing.detect.trackers.homes cimport Home, Places, Wrongs
from lapwing.detect.trackers.tracker cimport Tracker

cdef double _HELD, _FORGOTTEN
cdef tuple _NOTHING
cdef object _NOWHERE_HOME, _NO_WRONGS

cdef class Takeovers(Tracker):
    cdef object _settings, _keyring
    cdef public list hits

    @cython.locals(home=Home, wrongs=Wrongs)
    cdef int count(self, Row row, Login login) except -1
    @cython.final
    @cython.locals(row=Home)
    cdef tuple observe(self, Login login, i64 now_ns)
    @cython.final
    @cython.locals(row=Home, reasons=tuple)
    cdef tuple _begin(self, Login login, i64 now_ns)
    @cython.final
    @cython.locals(wrongs=Wrongs)
    cdef int _attacked(self, Home row, Login login) except -1
    @cython.final
    cdef Wrongs _wrongs(self, Home row)
    @cython.final
    cdef Places _places(self, Home row)
    @cython.final
    @cython.locals(places=Places, wrongs=Wrongs)
    cdef tuple _succeeded(self, Home row, Login login)
    @cython.locals(places=Places, row=Home)
    cpdef int settle_in(self, Login login) except -1
    @cython.final
    @cython.locals(wrongs=Wrongs)
    cdef tuple _new_place(self, Home row, Login login, Places places)
    @cython.final
    @cython.locals(familiar=bint)
    cdef object _unfamiliar(self, Home row, Login login, Places places)

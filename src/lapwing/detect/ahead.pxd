cimport cython
cimport lapwing.detect.natively as natively
cimport lapwing.detect.records as records
cimport lapwing.detect.seen as seen
from lapwing.detect.campaigns cimport Campaigns
from lapwing.detect.decisions cimport Decisions
from lapwing.detect.login cimport Login, i64
from lapwing.detect.rows cimport Row
from lapwing.detect.table cimport Table

cdef int _SHARED, _OWN, _FOUND
cdef i64 _NOWHERE
cdef Py_ssize_t _LOOKED_THROUGH

@cython.final
cdef class Ahead:
    cdef Campaigns _campaigns
    cdef Decisions _answers
    cdef Table _sources, _networks, _accounts, _homes, _clients, _pairs, _secrets
    cdef i64 _places[64]
    cdef i64 _own[32]
    cdef int _found[48]

    cdef int glance_at_place(self, Login login) noexcept
    cdef int glance(self, Login login) noexcept
    @cython.locals(base=Py_ssize_t)
    cdef int approach(self, Login login, Py_ssize_t at) noexcept
    @cython.locals(base=Py_ssize_t)
    cdef int approach_own(self, Login login, Py_ssize_t at) noexcept
    @cython.locals(base=Py_ssize_t)
    cdef int reach(self, Py_ssize_t at) noexcept
    @cython.locals(base=Py_ssize_t)
    cdef int reach_own(self, Py_ssize_t at) noexcept
    @cython.locals(base=Py_ssize_t)
    cdef int approach_beside(self, Py_ssize_t at) noexcept
    cdef int _approach_finding(self, int found) noexcept
    cdef int approach_beside_home(self, Py_ssize_t at) noexcept
    @cython.locals(base=Py_ssize_t, secret=Py_ssize_t)
    cdef int reach_beside(self, Login login, Py_ssize_t at) except -1
    cdef int reach_beside_home(self, Py_ssize_t at) noexcept
    @cython.locals(place=Py_ssize_t)
    cdef int expect(self, Login login, Py_ssize_t at) except -1

    cdef int first(self, Login login) noexcept
    cdef int second(self, Login login) noexcept
    cdef int third(self) noexcept
    cdef int fourth(self, Login login) except -1
    cdef int fifth(self, Login login) except -1

@cython.locals(row=Row)
cdef int _approach_beside(Table table, i64 found) noexcept
@cython.locals(row=Row)
cdef int _reach_beside(Table table, i64 found, Py_ssize_t extra_at, Py_ssize_t more_at) noexcept
@cython.locals(row=Row)
cdef int _reach_all_beside(Table table, i64 found, Py_ssize_t end) noexcept
@cython.locals(row=Row)
cdef int _finding_at(Table table, i64 found) noexcept

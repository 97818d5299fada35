cimport cython
cimport lapwing.detect.seen as seen
from lapwing.detect.campaigns cimport Campaigns
from lapwing.detect.login cimport Login, i64
from lapwing.detect.table cimport Table

cdef int _SHARED, _OWN, _FOUND
cdef i64 _NOWHERE
cdef Py_ssize_t _ATTACKERS_AT, _CLIENTS_AT

@cython.final
cdef class Ahead:
    cdef Campaigns _campaigns
    cdef Table _sources, _networks, _accounts, _homes, _clients, _pairs, _secrets
    cdef i64 _places[320]
    cdef i64 _own[128]
    cdef int _found[192]

    cpdef int glance_at_place(self, Login login) noexcept
    cpdef int glance(self, Login login) noexcept
    @cython.locals(base=Py_ssize_t)
    cpdef int approach(self, Login login, Py_ssize_t at) noexcept
    @cython.locals(base=Py_ssize_t)
    cpdef int approach_own(self, Login login, Py_ssize_t at) noexcept
    @cython.locals(base=Py_ssize_t)
    cpdef int reach(self, Py_ssize_t at) noexcept
    @cython.locals(base=Py_ssize_t)
    cpdef int reach_own(self, Py_ssize_t at) noexcept
    @cython.locals(base=Py_ssize_t, found=Py_ssize_t)
    cpdef int approach_beside(self, Py_ssize_t at) noexcept
    @cython.locals(base=Py_ssize_t, secret=Py_ssize_t)
    cpdef int reach_beside(self, Login login, Py_ssize_t at) except -1
    @cython.locals(found=Py_ssize_t)
    cpdef int expect(self, Login login, Py_ssize_t at) except -1
    @cython.locals(base=Py_ssize_t, found=Py_ssize_t, place=Py_ssize_t)
    cpdef int forget(self, Py_ssize_t at) noexcept

cimport cython
from lapwing.flows.hot_types cimport Action, Key, i64, u8, u16, u32, u64

cdef extern from "Python.h":
    bytes octets "PyBytes_FromStringAndSize"(const u8 *first, Py_ssize_t length)

@cython.final
cdef class ActionWalk:
    cdef object _rows, _interest, _idle, _whole_actions, _whole_keys
    cdef Action[::1] actions  # of the current call
    cdef Key[::1] fresh  # the keys of the current call
    cdef Key[::1] rows  # by slot
    cdef u8[::1] interest  # by slot
    cdef i64[::1] idle  # by slot and side: bytes that nobody must see
    cdef const u8[::1] chunk  # the payload of the current call
    cdef const u8[::1] arena
    cdef Py_ssize_t at, count
    cdef readonly int kind, side
    cdef readonly Py_ssize_t slot, length
    cdef readonly i64 ts_ns, aux
    cdef bint everything

    cpdef begin(self, object actions, object keys, object chunk, object arena)
    cpdef bint step(self) except -1
    cpdef bytes data(self)
    cpdef read(self, Py_ssize_t slot)
    cpdef ignore(self, Py_ssize_t slot)
    cpdef bint is_ignored(self, Py_ssize_t slot) except -1
    cpdef rest(self, Py_ssize_t slot, int side, i64 idle_bytes)
    cpdef i64 wake(self, Py_ssize_t slot, int side) except? 0
    cpdef key(self, Py_ssize_t slot)
    cpdef tuple fields(self, Py_ssize_t slot)
    cpdef i64 flow_id(self, Py_ssize_t slot) except? 0
    cpdef int client_port(self, Py_ssize_t slot) except -1
    cpdef int server_port(self, Py_ssize_t slot) except -1

    cdef bint _wants(self, const Action *action) except -1
    cdef bint _rests(self, Py_ssize_t place, Py_ssize_t length) except -1
    cdef int _open(self, Py_ssize_t slot, Py_ssize_t row) except -1

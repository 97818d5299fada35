cimport cython

@cython.final
cdef class Framing:
    cdef readonly Py_ssize_t block_bytes, tag_bytes
    cdef readonly bint clear_length, covers_length

    @cython.locals(head=Py_ssize_t, body=Py_ssize_t)
    cpdef Py_ssize_t packet_bytes(self, Py_ssize_t payload_bytes) except -1
    @cython.locals(most=Py_ssize_t)
    cpdef tuple payload_range(self, Py_ssize_t packet_bytes)

@cython.final
cdef class Turn:
    cdef Framing _framing
    cdef bytes _head
    cdef Py_ssize_t _left, _packet
    cdef readonly list packets
    cdef readonly Py_ssize_t total_bytes

    cpdef start(self)
    @cython.locals(position=Py_ssize_t, step=Py_ssize_t, wanted=Py_ssize_t)
    cpdef push(self, bytes data)
    cpdef gap(self, Py_ssize_t missing_bytes)
    cdef _begin(self, Framing how)
    cdef _advance(self, Py_ssize_t count)

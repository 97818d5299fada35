cimport cython
from lapwing.protocols.http.bodies cimport Body, Chunks

cdef int _HEAD, _SIZED, _CHUNKED, _REST, _SEEK

@cython.locals(crlf=Py_ssize_t, bare=Py_ssize_t)
cdef Py_ssize_t _head_end(data, Py_ssize_t pos) except -2

cdef class SideReader:
    cdef readonly long long countdown
    cdef readonly object skipped_bytes, refused
    cdef readonly bint lost
    cdef public bint stopped
    cdef int _state
    cdef bint _unheard
    cdef long long _framing, _granted
    cdef object _start_line
    cdef readonly bytearray _held
    cdef readonly bytes left_over
    cdef bytes _again
    cdef long long _left
    cdef Body _body
    cdef Chunks _chunks
    cdef list _out

    cpdef could_start(self, bytes start)
    cpdef begin_usual(self, bytes head)
    @cython.locals(end=Py_ssize_t)
    cpdef Py_ssize_t take_usual(self, bytes data, Py_ssize_t pos) except -2
    cpdef begin(self, bytes head)
    cpdef finish(self, Body body)
    cpdef content(self)
    cpdef spoke_before(self)
    @cython.locals(size=Py_ssize_t, body=Body, chunks=Chunks)
    cpdef bint absorb(self, bytes data) except -1
    @cython.locals(body=Body, chunks=Chunks, idle=cython.longlong)
    cpdef long long idle(self) except -1
    @cython.locals(passed=cython.longlong, body=Body)
    cpdef wake(self, long long left)
    @cython.locals(pos=Py_ssize_t, end=Py_ssize_t)
    cpdef list feed(self, bytes data)
    cpdef list gap(self, missing_bytes)
    cpdef list close(self, bint clean)
    cdef Py_ssize_t _read(self, bytes data, Py_ssize_t pos) except -1
    @cython.locals(seen=Py_ssize_t, end=Py_ssize_t, held=bytearray, joined=bytes)
    cdef Py_ssize_t _read_head(self, bytes data, Py_ssize_t pos) except -1
    cdef Py_ssize_t _hold(self, bytes data) except -1
    cdef Py_ssize_t _take_usual(self, bytes data, Py_ssize_t pos) except -2
    cdef bint _accept(self, bytes head) except -1
    cdef _go_on(self, long long framing)
    cdef bint _meet_garbage(self, bytes start) except -1
    cdef _refuse(self, str reason)
    cdef _begin_body(self, long long framing)
    @cython.locals(step=Py_ssize_t)
    cdef Py_ssize_t _read_sized(self, bytes data, Py_ssize_t pos) except -1
    cdef _count_down(self, Body body)
    cdef _skip_sized(self, long long missing_bytes, Body body)
    cdef Py_ssize_t _read_chunked(self, bytes data, Py_ssize_t pos) except -1
    cdef Py_ssize_t _read_rest(self, bytes data, Py_ssize_t pos) except -1
    cdef _end_message(self)
    cdef _cut(self)
    cdef _lose_sync(self)
    cdef Py_ssize_t _seek(self, bytes data, Py_ssize_t pos) except -1
    cdef _hold_line(self, bytes data, Py_ssize_t pos)

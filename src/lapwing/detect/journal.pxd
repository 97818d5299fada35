cimport cython
cimport lapwing.detect.laid_out as layout
cimport lapwing.detect.logins as logins
cimport lapwing.detect.natively as natively
from lapwing.detect.login cimport Keyring, Login, i64, u64
from lapwing.detect.rows cimport Fading

ctypedef unsigned int u32
ctypedef unsigned short u16
ctypedef unsigned char u8

cdef int _NAME_BYTES
cdef i64 _SOON
cdef int _TOLD
cdef Py_ssize_t _PADDED

cdef class Pointing:
    cdef public Pointing following

    cdef int lose(self) noexcept
    cdef int sweep(self, i64 turns) noexcept

@cython.final
cdef class Journal:
    cdef public i64 limit, head
    cdef i64 _capacity, _here
    cdef u64[::1] words
    cdef u32[::1] notes
    cdef u8[::1] _names
    cdef public u64 names_at
    cdef u64 _names_capacity, _names_here
    cdef public Keyring keyring
    cdef public list tables
    cdef Login _scratch
    cdef list _told
    cdef i64 _told_slots[3]
    cdef i64 _told_head
    cdef int _told_count
    cdef list _chained
    cdef i64 _chain_length
    cdef Pointing _first_table, _next_table
    cdef u32 _lap
    cdef public Fading fading

    cpdef int join(self, Pointing pointing) except -1
    @cython.locals(slot=i64, soon=i64)
    cpdef Py_ssize_t append(self, Login login) except -1
    @cython.locals(base=Py_ssize_t, meta=u64, thousandths=i64)
    cdef int _store(self, Py_ssize_t at, Login login) except -1
    @cython.locals(at=u64, pad=u64, index=Py_ssize_t, length=Py_ssize_t, padded=Py_ssize_t, fits=bint, name=str)
    cdef int _keep_name(self, Py_ssize_t slot, Login login) except -1
    @cython.locals(at=u64, byte=u64, index=Py_ssize_t)
    cdef int _keep_sealed(self, Py_ssize_t slot, bytes named) except -1
    cdef int _make_room(self) except -1
    cdef inline u32 turn(self) noexcept
    @cython.locals(table=Pointing)
    cdef int _lose(self, u32 sparks) except -1
    @cython.locals(table=Pointing)
    cdef int _sweep(self) except -1
    @cython.locals(table=Pointing)
    cdef int _chain(self) except -1
    @cython.locals(back=i64, slot=i64)
    cpdef i64 slot_of(self, i64 pos) noexcept
    @cython.locals(base=Py_ssize_t, source=u64, protocol=int)
    cpdef u64 word(self, i64 slot, int field) noexcept
    @cython.locals(distance=i64)
    cpdef int link(self, i64 pos, int dimension, i64 before) noexcept
    @cython.locals(distance=u64)
    cpdef i64 before(self, i64 pos, int dimension) noexcept
    @cython.locals(distance=i64)
    cpdef i64 slot_before(self, i64 slot, int dimension) noexcept
    @cython.locals(slot=i64)
    cpdef i64 spark_at(self, i64 pos, int table) noexcept
    @cython.locals(bit=u32)
    cpdef int mark_spark(self, i64 slot, int table, bint on) noexcept
    cdef inline u32 _sparks_at(self, i64 slot) noexcept
    cpdef bint has_spark(self, i64 slot, int table) noexcept
    cpdef int mark_owned(self, i64 pos, int dimension) noexcept
    cpdef bint is_owned(self, i64 slot, int dimension) noexcept
    @cython.locals(pos=i64)
    cpdef i64 pos_of(self, i64 slot) noexcept
    cpdef int forgive(self, i64 tail, int dimension, u64 account, i64 since_ns) except -1
    cpdef Login retell(self, i64 slot)
    @cython.locals(at=Py_ssize_t, login=Login)
    cdef Login again(self, i64 slot)
    @cython.locals(base=Py_ssize_t, meta=u64, thousandths=int)
    cdef int _recall(self, Login login, i64 slot) noexcept
    @cython.locals(start=u64, back=u64, length=Py_ssize_t, index=Py_ssize_t)
    cpdef bytes name_of(self, i64 slot)

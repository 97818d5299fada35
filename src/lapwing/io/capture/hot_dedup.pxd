cimport cython

ctypedef unsigned char u8
ctypedef unsigned short u16
ctypedef unsigned int u32
ctypedef unsigned long long u64
ctypedef long long i64

# Eight bytes at `first`, the first the lowest. `last` is the address of the eighth: whoever names it has checked it.
cdef extern from *:
    """
    static inline unsigned long long lapwing_word(const unsigned char *first, const unsigned char *last) {
        unsigned long long word = 0;
        (void)last;
        for (int k = 7; k >= 0; k--) word = word << 8 | first[k];
        return word;
    }
    """
    u64 lapwing_word(const u8 *first, const u8 *last) nogil

# One packet remembered. Places are counted from 1; 0 is none.
cdef struct Memory:
    u64 name  # keyed hash of its bytes
    i64 ts_ns
    u32 wire_bytes
    u32 next_alike  # the next of its bucket, or of the free ones
    u32 older, newer
    u32 outgoing

@cython.final
cdef class Seen:
    cdef Memory[::1] memories
    cdef u32[::1] buckets
    cdef u32 free, oldest, newest, held, limit
    cdef u64 mask, key_0, key_1, window_ns
    cdef Py_ssize_t skip_bytes
    cdef bint opposite_only

    cdef Py_ssize_t _sift(self, const u8[::1] data, const i64[::1] ts_ns, const u32[::1] offsets, const u32[::1] captured, const u32[::1] wire_bytes, const u16[::1] link_types, u8[::1] keep) except -1 nogil
    cdef u32 _find(self, u64 name, u32 wire_bytes) except? 0xFFFFFFFF nogil
    cdef u32 _add(self, u64 name, u32 wire_bytes) except? 0xFFFFFFFF nogil
    cdef int _remove(self, u32 place) except -1 nogil
    cdef int _unlink(self, u32 place) except -1 nogil
    cdef int _make_newest(self, u32 place) except -1 nogil

from lapwing.flows.hot_types cimport Key, Record, i64, u8, u32, u64

cdef object _opened(const Key *row, str tag, tuple carriers)
cdef object _closed(const Record *row, i64 ts_ns, str tag, object chains)
cdef str _history(const Record *row)
cdef Py_ssize_t _letters(Py_ssize_t at, u64 letters) except -1

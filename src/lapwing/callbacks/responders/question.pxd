cimport cython

@cython.locals(size=Py_ssize_t, pos=Py_ssize_t, start=Py_ssize_t, end=Py_ssize_t, length=int, labels=list, text=bytes, shown=str, edns_bytes=int)
cpdef read_plain(bytes message)

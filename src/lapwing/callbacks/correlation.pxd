cimport cython

@cython.locals(name=str)
cdef list _attributions(interaction, registry)

@cython.locals(shortest=Py_ssize_t, start=Py_ssize_t, length=Py_ssize_t, word=str, own_id=str, known=dict, found=list)
cdef list _search(placement, str text, registry)

cdef str _nonce(str rest, Py_ssize_t expected)
@cython.locals(dot=Py_ssize_t)
cdef str _full_id(placement, str text, Py_ssize_t start, Py_ssize_t end)

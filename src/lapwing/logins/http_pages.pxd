cpdef read_json(bytes body, int wanted=*)
cdef _look_at_json(bytes body, int wanted)
cdef int _read_field(str name, str value, int wanted) except -1
cpdef int read_page(bytes page, int wanted=*) except -1
cdef int _look_at_page(bytes page, int wanted) except -1
cpdef int read_words(str text, int wanted=*) except -1
cdef int _words(str text, int wanted) except -1
cdef bint _says(str text, str word, pattern) except -1

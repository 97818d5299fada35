cimport cython

cpdef bint may_have_fields(str content_type) except -1
cpdef body_kind(str content_type, bytes body)
cpdef list body_fields(str kind, str content_type, bytes body)
cpdef list form_fields(str text)
cdef str _unquoted(str text)
cpdef list multipart_fields(bytes body, bytes boundary)
cpdef list json_fields(bytes body)
cdef _add_leaves(list fields, value, str name, int depth)

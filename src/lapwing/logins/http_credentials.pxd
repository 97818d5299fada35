cimport cython

cpdef find_credentials(request, settings)
cdef tuple _surface(request, str kind, settings)
cdef tuple _fields(request, str content_type)
cdef _in_fields(request, str kind, list fields, settings)
cdef _in_authorization(str authorization, request)
cdef _basic(str authorization)

cdef class LoginTry:
    cdef public object source, endpoint, username, secret_tag, fingerprint, ts_ns, protocol, mechanism, circumstances
    cdef public object _secret
    cdef public bint _bare

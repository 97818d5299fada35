cdef class AuthAttempt:
    cdef public object source, endpoint, username, secret_tag, fingerprint, ts_ns, protocol, mechanism, circumstances
    cdef public object _secret

cdef class AuthResult(AuthAttempt):
    cdef public object outcome, account_exists

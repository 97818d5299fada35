cpdef str fingerprint(request)

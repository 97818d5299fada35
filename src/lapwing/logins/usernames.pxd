cpdef normalise(str username, settings)

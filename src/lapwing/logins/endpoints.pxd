cpdef path_segments(str target)

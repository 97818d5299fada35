cimport lapwing.detect.pages as pages

cpdef object keep(object kind)
cpdef object like(object pattern)

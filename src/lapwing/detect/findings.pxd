cimport cython
cimport lapwing.detect.slabs as slabs
from lapwing.detect.episode cimport Episode
from lapwing.detect.login cimport i64, u64

@cython.final
cdef class OpenFinding:
    cdef public Episode episode
    cdef public double log_odds
    cdef public int told_failures
    cdef public object kind, subject_kind, told_severity
    cdef public str finding_id, group, subject, note
    cdef public u64 key
    cdef public list reasons
    cdef public bytes named

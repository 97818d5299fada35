cpdef bint says_locked(str text) except -1
cpdef unanswered(attempt, ts_ns, str detail=*)

cimport cython

cdef class _Answer

@cython.final
cdef class AnswerReader:
    cdef dict _failures

    cpdef judge(self, response, login)
    cdef _judge_page(self, _Answer answer, login)
    cdef _remember(self, response, login)

@cython.final
cdef class _Answer:
    cdef readonly object response
    cdef readonly str location
    cdef str _encoding, _type
    cdef readonly bint sets_session, stale, wants_code, is_json

    cdef _take(self, str name, str value)
    cdef signs(self, wanted=*)

cdef _failed(double confidence, str detail)
cdef _succeeded(double confidence, str detail)
cdef _challenged(double confidence, str detail)
cdef _locked(double confidence, str detail)
cdef _unknown(str detail)
cdef tuple _look_of(response)
cdef _judge_refusal(_Answer answer, login)
cdef _judge_json(_Answer answer, int signs, login)
cdef _judge_html(_Answer answer, int signs)
cdef _judge_rest(_Answer answer)

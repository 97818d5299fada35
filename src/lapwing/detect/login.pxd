cimport cython
cimport lapwing.detect.hashing as hashing
cimport lapwing.detect.natively as natively
cimport lapwing.detect.reading as reading

ctypedef unsigned long long u64
ctypedef long long i64

cdef u64 MASK, V4_PREFIX, V4_NETWORK, V6_NETWORK
cdef int _MOST_TRIES
cdef int _ACCOUNT, _HIDDEN, _SECRET, _CLIENT, _SOURCE, _NETWORK, _NAME, _DRAW

@cython.final
cdef class Login:
    cdef public object event, client_text
    cdef public object endpoint
    cdef public str name
    cdef public bytes named
    cdef public i64 now_ns, seq, pos
    cdef public u64 source, network, account, secret, client, pair, hi, lo
    cdef u64 padded
    cdef u64 pads[4]
    cdef public i64 at_source, at_network, at_account, at_client, at_pair, at_home
    cdef public int count, protocol
    cdef public bint failed, succeeded, inferred, known, counts, routine, took_back, forgiven, plain, nobody, resident
    cdef public double weight, pair_tries, good_gain
    cdef public double pair_0, pair_1, pair_2, pair_3
    cdef public double try_0, try_1, try_2, try_3
    cdef public double back_pair_0, back_pair_1, back_pair_2, back_pair_3
    cdef public double back_try_0, back_try_1, back_try_2, back_try_3
    cdef public tuple back_secrets, beside

    cpdef bint begin_pair(self) noexcept
    cpdef int begin(self) noexcept
    cdef int count_tries(self, object count, double confidence) except -1

cdef u64 sip(u64 k0, u64 k1, u64 first, u64 second, u64 third) noexcept

@cython.locals(thousandths=double)
cdef bint whole(double weight) noexcept

@cython.final
cdef class Keyring:
    cdef u64 _k0, _k1
    cdef dict _others
    cdef list _protocols
    cdef dict _protocol_numbers
    cdef u64 _hidden[256]
    cdef int _way
    cdef u64 _lanes[12]
    cdef u64 _keys[4]
    cdef u64 _sealing[12]
    cdef u64 _pads[4]
    cdef u64 _padded
    cdef object _latest_protocol
    cdef int _latest_number
    cdef Login _login
    cdef u64 _near_hi, _near_lo, _near_source, _near_place, _near_network, _far_hi, _far_lo, _far_source
    cdef int _near_kind

    cpdef int hash_by(self, int way) noexcept
    cpdef Login login(self, object event, i64 now_ns)
    cpdef bint read(self, Login login, object event, i64 now_ns) except -1
    cpdef Login attempt(self, object event, i64 now_ns)
    cdef bint _attempt(self, Login login, object event, i64 now_ns) except -1
    cpdef bint name(
        self, Login login, str address, str username, str protocol, str secret_tag, str client
    ) except -1
    @cython.locals(name=str, laid=int, count=int, short_client=bint)
    cpdef bint locate(self, Login login, str address, str username, str client) except -1
    cpdef int describe(self, Login login, str protocol, str secret_tag) except -1
    @cython.locals(short_secret=bint)
    cdef u64 _secret_and_pads(self, Login login, str secret_tag) except? 0
    cpdef Login identify(self, str address, str username, str protocol, str secret_tag, str client)
    cpdef u64 word(self, int domain, str text) except? 0
    @cython.locals(at=Py_ssize_t)
    cdef u64 _rest_of_word(self, int domain, str text, u64 state) except? 0
    @cython.locals(at=Py_ssize_t, count=Py_ssize_t, shift=int, state=u64, low=u64, high=u64, byte=u64)
    cdef u64 _wide_word(self, int domain, str text) except? 0
    cpdef u64 draw(self, u64 first, u64 second) noexcept
    @cython.locals(lane=int)
    cpdef u64 pad(self, u64 account, u64 at) noexcept
    cpdef u64 source_of(self, u64 hi, u64 lo) noexcept
    cdef u64 _source_word(self, u64 hi, u64 lo) noexcept
    @cython.locals(kind=u64, place=u64)
    cpdef u64 network_of(self, u64 hi, u64 lo) noexcept
    @cython.locals(lane=int, hi=u64, lo=u64, v4=bint)
    cdef int sources_of(self, u64 *halves, int count, u64 *sources) noexcept
    cpdef u64 pair_with(self, u64 source, u64 account, int protocol) noexcept
    @cython.locals(a=u64, b=u64)
    cpdef u64 pair_of(self, u64 source, u64 account) noexcept
    cpdef int place(self, Login login, u64 hi, u64 lo) noexcept
    @cython.locals(v4=bint)
    cdef inline int _lay_place(self, u64 hi, u64 lo) noexcept
    @cython.locals(v4=bint, hi=u64, lo=u64)
    cpdef int stand_at(self, Login login) noexcept
    cpdef object source_text(self, str text)
    cdef object _halves(self, str text)
    cpdef tuple halves(self, str text)
    @cython.locals(value=i64)
    cdef inline bint _read_address(self, Login login, str text) except -1
    cpdef int protocol_number(self, str name) except -1
    @cython.locals(at=int, length=int, pad=u64, byte=u64)
    cpdef bytes seal(self, str name, u64 account)
    @cython.locals(at=int, pad=u64, byte=u64)
    cdef bytes _masked(self, u64 account, bytes data)

cimport cython
from lapwing.detect.ahead cimport Ahead
from lapwing.detect.campaigns cimport Campaigns
from lapwing.detect.decisions cimport Decisions
from lapwing.detect.evidence cimport Evidence
from lapwing.detect.journal cimport Journal
from lapwing.detect.login cimport Keyring, Login, i64
from lapwing.detect.rows cimport Row, Tally
from lapwing.detect.trackers.accounts cimport Accounts
from lapwing.detect.trackers.credentials cimport Credentials
from lapwing.detect.trackers.groups cimport Fingerprints, Networks
from lapwing.detect.trackers.pairs cimport Pairs
from lapwing.detect.trackers.site cimport Site
from lapwing.detect.trackers.sources cimport Sources
from lapwing.detect.trackers.strays cimport Strays
from lapwing.detect.trackers.takeovers cimport Takeovers
from lapwing.detect.trackers.tracker cimport Tracker
from lapwing.detect.trackers.unknowns cimport Unknowns
from lapwing.detect.trackers.weekly cimport Weekly
from lapwing.detect.verdict cimport Judge, Verdict
from lapwing.detect.verdicts cimport Verdicts

cdef i64 _TICK, _SWEEP
cdef Verdict _NO_VERDICT
cdef double _NOTHING_SAID
cdef unsigned int _SOUGHT
cdef int _SOURCE
cdef tuple _ACTIONS

@cython.final
cdef class Detector:
    cdef public object settings
    cdef Verdict _verdict
    cdef public double log_odds
    cdef public Login latest
    cdef Login _try
    cdef public Keyring _keyring
    cdef public Journal _journal
    cdef Pairs _pairs
    cdef Sources _sources
    cdef Accounts _accounts
    cdef Fingerprints _fingerprints
    cdef Networks _networks
    cdef Credentials _credentials
    cdef Site _site
    cdef Strays _strays
    cdef public Weekly _weekly
    cdef public Unknowns _unknowns
    cdef Takeovers _takeovers
    cdef Judge _judge
    cdef public Campaigns _campaigns
    cdef public object _hijacks, _surroundings
    cdef object _look_up
    cdef public bint needs_events
    cdef object _exclusions
    cdef public tuple _every
    cdef public list _grouped
    cdef Evidence _evidence
    cdef public i64 _now_ns
    cdef public i64 _ticked_ns
    cdef public list _led
    cdef Ahead _ahead
    cdef int _asked
    cdef dict _counts
    cdef i64 _failed_count, _succeeded_count

    cpdef Verdict answered(self, int rank, long long retry_after_s)
    cpdef int add_answered(self, Verdicts verdicts, int rank, long long retry_after_s) except -1
    cpdef Evidence evidence(self)
    @cython.locals(ts_ns=i64)
    cpdef object observe(self, object event)
    @cython.locals(told=list)
    cpdef object observe_login(self, Login login)
    @cython.locals(login=Login)
    cpdef Verdict assess(self, object event)
    @cython.locals(login=Login, ahead=Ahead)
    cdef bint identify_try(
        self, str address, str username, str protocol, str secret_tag, str client, i64 ts_ns
    ) except -1
    cpdef bint is_at_home(self, Login login) except -1
    @cython.locals(login=Login, rank=int)
    cpdef int judge_try(self) except -1
    cpdef int rank(self) except -1
    @cython.locals(login=Login, told=list)
    cpdef object refuse_try(self, object endpoint)
    cdef bint _is_excluded(self, object event) except -1
    @cython.locals(login=Login)
    cdef list _take(self, object event)
    @cython.locals(told=list)
    cdef list _follow(self, Login login)
    @cython.locals(ahead=Ahead, asked=int)
    cdef int _see(self, Login login) except -1
    @cython.locals(evidence=Evidence)
    cdef int _weigh(self, Login login) except -1
    @cython.locals(now_ns=i64, row=Tally)
    cdef int _compare(self, Login login) except -1
    @cython.locals(own=double, row=Tally)
    cdef int _strange(self, Login login) except -1
    cdef bint _is_explained(self) noexcept
    @cython.locals(now_ns=i64)
    cdef list _pass_time(self)
    cdef int _count(self, str name) except -1

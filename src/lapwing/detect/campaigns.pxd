cimport cython
cimport lapwing.detect.natively as natively
from lapwing.detect.episode cimport Episode
from lapwing.detect.evidence cimport Evidence
from lapwing.detect.findings cimport OpenFinding
from lapwing.detect.journal cimport Journal, u32
from lapwing.detect.login cimport Keyring, Login, i64, u64
from lapwing.detect.rows cimport Row, Tally
from lapwing.detect.trackers.tracker cimport Tracker
from lapwing.detect.verdict cimport Judge

cdef int _SOURCE, _SITE, _ACCOUNT
cdef u32 _SITE_KINDS
cdef i64 _HOUR, _DAY, _SWEEP


@cython.final
cdef class Campaigns:
    cdef object _settings
    cdef Keyring _keyring
    cdef Judge _judge
    cdef Journal _journal
    cdef list _trackers
    cdef Tracker _accounts, _clients, _secrets, _sources, _networks, _site
    cdef bint _owned
    cdef list _told_now
    cdef double _base, _raise_at, _growth
    cdef double _most[6]
    cdef int _min_failures
    cdef public dict open
    cdef list _standing, _episodes, _free
    cdef int _room
    cdef public int refused_count
    cdef public i64 swept_ns

    cpdef bint accuses(self, Login login) except -1
    @cython.locals(noted=int)
    cpdef object fold(self, Login login, Evidence evidence)
    cdef inline int _place(self, int dimension, Tracker tracker, Login login, Evidence evidence) except -1
    @cython.locals(story=Tally)
    cdef bint _belongs(self, Login login) except -1
    cpdef int approach(self, int found) noexcept
    cpdef int expect(self, int found, Login login) except -1
    cdef int _own(self, int dimension, Login login) noexcept
    cdef int _note(self, int dimension, Tally row, Login login, Evidence evidence) except -1
    cdef int _link(self, int dimension, Tally row, Login login) except -1
    @cython.locals(slot=i64)
    cdef int _note_success(self, int dimension, Tally row, Login login) except -1
    cdef bint _is_over(self, int dimension, Tally row, i64 now_ns, bint suspected) except -1
    @cython.locals(number=int, episode=Episode)
    cdef int _grow(self, int dimension, Tracker tracker, Login login, Evidence evidence) except -1
    @cython.locals(episode=Episode, grave=bint)
    cdef int _tell_more(self, int dimension, OpenFinding found, Login login, Evidence evidence) except -1
    @cython.locals(log_odds=double)
    cdef bint _is_graver(self, int dimension, OpenFinding found, Evidence evidence) except -1
    @cython.locals(dimension=int, log_odds=double)
    cdef object _raise_first(self, Login login, Evidence evidence, int noted)
    cdef double _group_score(self, int dimension, Evidence evidence) noexcept
    @cython.locals(number=int)
    cdef int _stand(self, Row row, OpenFinding found) except -1

cdef bint _is_pinned(Tracker tracker) noexcept
cdef int _explain(Tally story, Login login) noexcept

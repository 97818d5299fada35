from lapwing.flows.hot_features cimport PacketFeatures
from lapwing.flows.hot_types cimport Action, Head, Key, Packet, Record, Side, Tail, Wait, i64, u8, u16, u32, u64

cdef class FlowRows(PacketFeatures):
    cdef readonly bint payloads
    cdef object _actions, _keys, _records, _arena, _heads
    # output of the current call
    cdef Action[::1] actions_out
    cdef Key[::1] keys_out
    cdef Record[::1] records_out
    cdef u8[::1] arena_out
    cdef u32 action_count, key_count, record_count, arena_used
    # flows
    cdef Head[::1] heads
    cdef Side[:, ::1] sides
    cdef Tail[::1] tails
    cdef u64[::1] counts, anomaly_counts

    cdef int _clear(self) except -1
    cdef bint _full(self) except -1 nogil
    cdef int _act(self, int kind, u32 slot, int side, i64 aux, u32 offset, u32 length, int source) except -1 nogil
    cdef int _anomaly(self, int kind, u32 slot, int side, u32 count) except -1 nogil
    cdef int _letter(self, u32 slot, int side, u8 letter) except -1 nogil
    cdef int _letter_once(self, Head *head, u32 slot, int side, u8 bit, u8 letter) except -1 nogil
    cdef int _letter_scaled(self, u32 slot, int side, u8 letter, u32 count) except -1 nogil
    cdef int _write_key(self, u32 slot) except -1 nogil
    cdef int _write_record(self, u32 slot, int reason) except -1 nogil
    cdef int _start_record(self, u32 slot) except -1 nogil
    cdef int _clear_rows(self, u32 slot) except -1 nogil

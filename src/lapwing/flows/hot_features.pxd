from lapwing.flows.hot_types cimport Measure, Packet, i64, u8, u16, u32, u64

cdef class PacketFeatures:
    cdef bint measures_packets
    cdef u32 early_packets
    cdef const u8[::1] data, no_data  # input of the current call, and what stands there between calls
    cdef i64 clock_ns
    # by slot
    cdef Measure[:, ::1] measures
    cdef u32[:, :, ::1] flag_counts
    cdef i64[:, ::1] moments
    cdef u8[:, :, ::1] openings
    cdef u8[:, ::1] opening_sizes
    cdef u32[:, ::1] early_bytes
    cdef i64[:, ::1] early_gaps
    cdef u8[:, ::1] early_sides
    # by row of the current call's records
    cdef tuple _out
    cdef Measure[:, ::1] measures_out
    cdef u32[:, :, ::1] flag_counts_out
    cdef i64[:, ::1] moments_out
    cdef u8[:, :, ::1] openings_out
    cdef u8[:, ::1] opening_sizes_out
    cdef u32[:, ::1] early_bytes_out
    cdef i64[:, ::1] early_gaps_out
    cdef u8[:, ::1] early_sides_out

    cdef _write_to(self, tuple out)
    cdef _exchange(self, tuple held)
    cdef int _measure(self, u32 slot, int side, const Packet *packet) except -1 nogil
    cdef int _keep_opening(self, u32 slot, int side, const Packet *packet) except -1 nogil
    cdef int _note_moments(self, u32 slot, int side, const Packet *packet) except -1 nogil
    cdef int _write_features(self, u32 slot, u32 row) except -1 nogil
    cdef int _forget_features(self, u32 slot) except -1 nogil

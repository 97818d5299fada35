# The full memory barrier between a block's status word and its frames: the kernel writes them on another core.

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define lapwing_barrier() __sync_synchronize()
    #else
    #define lapwing_barrier() ((void)0)
    #endif
    """
    void lapwing_barrier() nogil

# Up to four hashes at once: they need nothing of one another, and processors with AVX2 compute them side by side for
# little more than the price of one. `plainly.py` does the same where nothing is compiled. A typed module takes it as
# `cimport lapwing.detect.hashing as hashing` beside `from lapwing.detect import plainly as hashing`.

cimport lapwing.detect.natively as natively

ctypedef unsigned long long u64

cdef extern from *:
    """
    #if defined(__x86_64__) && defined(__has_builtin)
    #if __has_builtin(__builtin_shufflevector) && __has_builtin(__builtin_cpu_supports)
    #include <immintrin.h>
    #define LAPWING_BEST_WAY (__builtin_cpu_supports("avx512vl") ? 2 : __builtin_cpu_supports("avx2") ? 1 : 0)
    typedef unsigned long long lapwing_four __attribute__((vector_size(32)));
    typedef unsigned int lapwing_halves __attribute__((vector_size(32)));
    typedef unsigned short lapwing_quarters __attribute__((vector_size(32)));

    #define LAPWING_TURN(v, by) ((v) << (by) | (v) >> (64 - (by)))
    #define LAPWING_TURN_32(v) \\
        (lapwing_four)__builtin_shufflevector((lapwing_halves)(v), (lapwing_halves)(v), 1, 0, 3, 2, 5, 4, 7, 6)
    #define LAPWING_TURN_16(v) \\
        (lapwing_four)__builtin_shufflevector( \\
            (lapwing_quarters)(v), (lapwing_quarters)(v), 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14)
    #define LAPWING_ROUNDS \\
        v0 += v1; v1 = LAPWING_TURN(v1, 13) ^ v0; v0 = LAPWING_TURN_32(v0); \\
        v2 += v3; v3 = LAPWING_TURN_16(v3) ^ v2; \\
        v0 += v3; v3 = LAPWING_TURN(v3, 21) ^ v0; \\
        v2 += v1; v1 = LAPWING_TURN(v1, 17) ^ v2; v2 = LAPWING_TURN_32(v2);
    /* Words are read one by one as they were written just before: read by twos, they would have to be in memory first,
       and the processor would wait for that. */
    #define LAPWING_TWO(at, other) \\
        _mm_loadh_pd(_mm_load_sd((const double *)(lanes + (at))), (const double *)(lanes + (other)))
    #define LAPWING_WORDS(at) \\
        (lapwing_four)_mm256_insertf128_pd( \\
            _mm256_castpd128_pd256(LAPWING_TWO(at, 3 + (at))), LAPWING_TWO(6 + (at), 9 + (at)), 1)

    /* The same for two kinds of processors: those with AVX-512VL turn the bits of four words in one step, not in three.
       Where a hash is 0, which stands for none, it is 1. */
    #define LAPWING_HASH_FOUR(name, processor) \\
        __attribute__((target(processor), noinline, unused)) static void name( \\
            unsigned long long k0, unsigned long long k1, \\
            const unsigned long long *lanes, unsigned long long *keys \\
        ) { \\
            lapwing_four first = LAPWING_WORDS(0), second = LAPWING_WORDS(1), third = LAPWING_WORDS(2); \\
            lapwing_four zero = {0, 0, 0, 0}; \\
            lapwing_four v0 = zero + (k0 ^ 0x736F6D6570736575ULL), v1 = zero + (k1 ^ 0x646F72616E646F6DULL); \\
            lapwing_four v2 = zero + (k0 ^ 0x6C7967656E657261ULL), v3 = zero + (k1 ^ 0x7465646279746573ULL); \\
            v3 ^= first; LAPWING_ROUNDS v0 ^= first; \\
            v3 ^= second; LAPWING_ROUNDS v0 ^= second; \\
            v3 ^= third; LAPWING_ROUNDS v0 ^= third; \\
            v2 ^= zero + 0xFF; \\
            LAPWING_ROUNDS LAPWING_ROUNDS LAPWING_ROUNDS \\
            v0 ^= v1 ^ v2 ^ v3; \\
            v0 -= (lapwing_four)(v0 == zero); \\
            memcpy(keys, &v0, sizeof v0); \\
        }
    LAPWING_HASH_FOUR(lapwing_hash_avx2, "avx2")
    LAPWING_HASH_FOUR(lapwing_hash_avx512, "avx512vl")
    #endif
    #endif
    #ifndef LAPWING_BEST_WAY
    #define LAPWING_BEST_WAY 0
    #define lapwing_hash_avx2(k0, k1, lanes, keys) ((void)0)
    #define lapwing_hash_avx512(k0, k1, lanes, keys) ((void)0)
    #endif

    /* SipHash-1-3 of the three words of each of the first `count` lanes; keys beyond these may be anything. */
    static CYTHON_INLINE void lapwing_hash(
        int way, unsigned long long k0, unsigned long long k1,
        const unsigned long long *lanes, unsigned long long *keys, int count
    ) {
        int lane;
        if (way == 2) {
            lapwing_hash_avx512(k0, k1, lanes, keys);
        } else if (way == 1) {
            lapwing_hash_avx2(k0, k1, lanes, keys);
        } else {
            for (lane = 0; lane < count; ++lane, lanes += 3)
                keys[lane] = lapwing_sip(k0, k1, lanes[0], lanes[1], lanes[2]);
        }
    }

    /* The first sixteen characters of a compact ASCII string as two words, zeros after its end; see `octets`. */
    static CYTHON_INLINE void lapwing_two_words(PyObject *text, Py_ssize_t count, unsigned long long *words) {
    #if PY_LITTLE_ENDIAN
        const unsigned char *data = (const unsigned char *)(((PyASCIIObject *)text) + 1);
        words[0] = words[1] = 0;
        if (count >= 8) {
            memcpy(words, data, 8);
            if (count >= 16) {
                memcpy(words + 1, data + 8, 8);
            } else if (count > 8) {
                memcpy(words + 1, data + count - 8, 8);
                words[1] >>= 8 * (16 - count);
            }
        } else if (count > 0) {
            memcpy(words, data + count - 8, 8);
            words[0] >>= 8 * (8 - count);
        }
    #else
        words[0] = lapwing_octets(text, 0);
        words[1] = lapwing_octets(text, 8);
    #endif
    }

    /* What the hash of `text` begins with becomes a lane; whether that is all of it: sixteen characters of ASCII. */
    static CYTHON_INLINE int lapwing_lay_text(
        unsigned long long *lanes, int lane, unsigned long long domain, PyObject *text
    ) {
        Py_ssize_t count = PyUnicode_GET_LENGTH(text);
        if (!PyUnicode_IS_COMPACT_ASCII(text)) return 0;
        lanes += 3 * lane;
        lanes[0] = (unsigned long long)count << 8 | domain;
        lapwing_two_words(text, count, lanes + 1);
        return count <= 16;
    }

    /* The highest bit of each of eight characters of ASCII that is a capital, or neither visible nor zero; other bits
       may be anything. No byte carries into the next. */
    #define LAPWING_EACH(byte) ((byte) * 0x0101010101010101ULL)
    #define LAPWING_ODD(word) \\
        ((((word) + LAPWING_EACH(0x80 - 1)) & ~((word) + LAPWING_EACH(0x80 - 33))) \\
            | (((word) + LAPWING_EACH(0x80 - 65)) & ~((word) + LAPWING_EACH(0x80 - 91))))

    /* The same of a name: 2 for all of it, 1 if there is more. 0 unless it is plainly its own spelling, so that nothing
       is to trim or to fold: ASCII without capitals, blanks and most of what cannot be seen. */
    static CYTHON_INLINE int lapwing_lay_name(
        unsigned long long *lanes, int lane, unsigned long long domain, PyObject *name
    ) {
        Py_ssize_t count = PyUnicode_GET_LENGTH(name), at;
        unsigned long long odd, word;
        if (!PyUnicode_IS_COMPACT_ASCII(name)) return 0;
        lanes += 3 * lane;
        lanes[0] = (unsigned long long)count << 8 | domain;
        lapwing_two_words(name, count, lanes + 1);
        odd = LAPWING_ODD(lanes[1]) | LAPWING_ODD(lanes[2]);
        for (at = 16; at < count; at += 8) {
            word = lapwing_octets(name, at);
            odd |= LAPWING_ODD(word);
        }
        return odd & LAPWING_EACH(0x80) ? 0 : count <= 16 ? 2 : 1;
    }
    """
    int best_way "LAPWING_BEST_WAY"
    void hash_lanes "lapwing_hash"(int way, u64 k0, u64 k1, u64 *lanes, u64 *keys, int count) nogil
    bint lay_text "lapwing_lay_text"(u64 *lanes, int lane, u64 domain, str text)
    int lay_name "lapwing_lay_name"(u64 *lanes, int lane, u64 domain, str name)

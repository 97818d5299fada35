# An IPv4 address read all at once: digit by digit a processor guesses each time whether there is one more, and of the
# addresses of an attack it guesses one or two wrong. `plainly.py` does the same where nothing is compiled. A typed module
# takes it as `cimport lapwing.detect.reading as reading` beside `from lapwing.detect import plainly as reading`.

cimport lapwing.detect.natively as natively

cdef extern from *:
    """
    #if defined(__x86_64__) && defined(__has_builtin)
    #if __has_builtin(__builtin_cpu_supports)
    #define LAPWING_READS_AT_ONCE
    #include <immintrin.h>
    /* The characters stand at the end of a register of sixteen bytes; what is before them belongs to the string's own
       header. Where the dots are says where each part begins and ends. The last three bytes of a part, zeros before its
       first digit, are moved into a quarter of their own, all four at once. */
    __attribute__((target("avx2"), noinline, unused)) static long long lapwing_ipv4_at_once(
        const char *data, Py_ssize_t count
    ) {
        const __m128i parts = _mm_setr_epi8(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
        const __m128i least = _mm_setr_epi8(0, 0, 10, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);  /* of so many digits */
        const __m128i nine = _mm_set1_epi8(9);
        __m128i all, from, to, digits, values, wrong;
        unsigned int first, second, third, ends, starts, lengths;
        if (count < 7 || count > 15) return -1;
        all = _mm_loadu_si128((const __m128i *)(data + count - 16));
        first = (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_set1_epi8('.')));
        first = first >> (16 - count) << (16 - count);
        second = first & (first - 1);  /* the dots from the second one on */
        third = second & (second - 1);
        if (third == 0 || (third & (third - 1)) != 0) return -1;
        ends = (unsigned int)__builtin_ctz(first) | (unsigned int)__builtin_ctz(second) << 8
            | (unsigned int)__builtin_ctz(third) << 16 | 16u << 24;
        starts = (ends << 8 | (unsigned int)(15 - count)) + 0x01010101u;
        lengths = ends - starts;  /* a byte for each, as above: 1 to 3 */
        if ((lengths & 0xFCFCFCFCu) | ((lengths - 0x01010101u) & 0x80808080u)) return -1;
        from = _mm_shuffle_epi8(_mm_cvtsi32_si128((int)starts), parts);
        to = _mm_shuffle_epi8(_mm_cvtsi32_si128((int)ends), parts);
        to = _mm_add_epi8(to, _mm_set1_epi32((int)0xFFFEFDFCu));  /* the four before an end */
        digits = _mm_sub_epi8(all, _mm_set1_epi8('0'));
        digits = _mm_shuffle_epi8(digits, _mm_or_si128(to, _mm_cmpgt_epi8(from, to)));
        values = _mm_madd_epi16(_mm_maddubs_epi16(digits, _mm_set1_epi32(0x010A6400)), _mm_set1_epi16(1));
        wrong = _mm_xor_si128(_mm_max_epu8(digits, nine), nine);
        wrong = _mm_or_si128(wrong, _mm_cmpgt_epi32(values, _mm_set1_epi32(255)));
        from = _mm_shuffle_epi8(least, _mm_cvtepu8_epi32(_mm_cvtsi32_si128((int)lengths)));
        wrong = _mm_or_si128(wrong, _mm_cmpgt_epi32(from, values));  /* a zero leads */
        if (!_mm_testz_si128(wrong, wrong)) return -1;
        return (unsigned int)_mm_cvtsi128_si32(_mm_shuffle_epi8(values, _mm_set1_epi32(0x0004080C)));
    }
    #endif
    #endif

    /* What `lapwing_ipv4` says, at once where processors can: `way` is that of `hashing`. */
    static CYTHON_INLINE long long lapwing_read_ipv4(int way, PyObject *text) {
    #ifdef LAPWING_READS_AT_ONCE
        if (way != 0 && PyUnicode_IS_COMPACT_ASCII(text))
            return lapwing_ipv4_at_once((const char *)(((PyASCIIObject *)text) + 1), PyUnicode_GET_LENGTH(text));
    #endif
        return lapwing_ipv4(text);
    }
    """
    long long read_ipv4 "lapwing_read_ipv4"(int way, str text) nogil

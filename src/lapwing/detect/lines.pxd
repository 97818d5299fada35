# Lines of an `Index`, looked through as a whole. `plainly.py` does the same where nothing is compiled. A typed module
# takes it as `cimport lapwing.detect.lines as lines` beside `from lapwing.detect import plainly as lines`.

from lapwing.detect.login cimport u64

cdef extern from *:
    """
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #else
    #include <string.h>
    #endif

    /* The places of a line, one bit for each, that are marked so. */
    static CYTHON_INLINE unsigned int lapwing_marked(const char *line, unsigned char mark) {
    #if defined(__SSE2__)
        __m128i marks = _mm_loadu_si128((const __m128i *)line);
        return (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(marks, _mm_set1_epi8((char)mark))) & 0xFFF;
    #else
        unsigned int marked = 0;
        int place;
        for (place = 0; place < 12; ++place) marked |= (unsigned int)((unsigned char)line[place] == mark) << place;
        return marked;
    #endif
    }

    /* Those whose number stands for a spark that the journal has forgotten less than a lap ago. */
    static CYTHON_INLINE unsigned int lapwing_forgotten(const char *line, unsigned int turn, unsigned int here) {
        unsigned int gone = 0;
        int place;
    #if defined(__SSE2__)
        const __m128i turns = _mm_set1_epi32((int)turn), heres = _mm_set1_epi32((int)here);
        for (place = 0; place < 12; place += 4) {
            __m128i four = _mm_loadu_si128((const __m128i *)(line + 16 + 4 * place));
            four = _mm_srli_epi32(_mm_sub_epi32(_mm_xor_si128(four, turns), heres), 30);
            four = _mm_cmpeq_epi32(four, _mm_setzero_si128());
            gone |= (unsigned int)_mm_movemask_ps(_mm_castsi128_ps(four)) << place;
        }
    #else
        for (place = 0; place < 12; ++place) {
            unsigned int number;
            memcpy(&number, line + 16 + 4 * place, 4);
            gone |= (unsigned int)(((number ^ turn) - here) >> 30 == 0) << place;
        }
    #endif
        return gone;
    }
    #define lapwing_marked_in(marks, at, mark) lapwing_marked((marks).data + 64 * (at), (unsigned char)(mark))
    #define lapwing_gone_in(numbers, at, turn, here) lapwing_forgotten((numbers).data + 64 * (at), turn, here)
    #define lapwing_mark_of(key) ((unsigned int)((key) >> 56) | ((key) >> 56 == 0))
    """
    unsigned int marked "lapwing_marked_in"(unsigned char[::1] marks, u64 line, unsigned int mark)
    unsigned int gone "lapwing_gone_in"(unsigned int[::1] numbers, u64 line, unsigned int turn, unsigned int here)
    unsigned int mark_of "lapwing_mark_of"(u64 key)

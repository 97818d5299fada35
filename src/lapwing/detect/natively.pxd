# What C does better than Python: `plainly.py` does the same where nothing is compiled. A typed module takes it as
# `cimport lapwing.detect.natively as natively` beside `from lapwing.detect import plainly as natively`.

ctypedef unsigned long long u64
ctypedef u64 *Words

cdef extern from *:
    """
    #include <math.h>
    #include <string.h>

    /* Eight characters of a compact ASCII string as a little-endian word, zeros after its end. The bytes before its
       first character are its own header, so the last word may begin there and be shifted. */
    static CYTHON_INLINE unsigned long long lapwing_octets(PyObject *text, Py_ssize_t at) {
        const unsigned char *data = (const unsigned char *)(((PyASCIIObject *)text) + 1) + at;
        Py_ssize_t left = PyUnicode_GET_LENGTH(text) - at;
        unsigned long long word = 0;
        if (left <= 0) return 0;
    #if PY_LITTLE_ENDIAN
        if (left >= 8) {
            memcpy(&word, data, 8);
        } else {
            memcpy(&word, data + left - 8, 8);
            word >>= 8 * (8 - left);
        }
    #else
        if (left > 8) left = 8;
        while (left-- > 0) word = (word << 8) | data[left];
    #endif
        return word;
    }

    /* Four decimal octets without leading zeros as a number; -1 for anything else. A zero stands after every text. */
    static CYTHON_INLINE long long lapwing_ipv4(PyObject *text) {
        const unsigned char *at = (const unsigned char *)(((PyASCIIObject *)text) + 1), *end;
        long long value = 0;
        unsigned int part, digit;
        int parts = 0;
        if (!PyUnicode_IS_COMPACT_ASCII(text)) return -1;
        end = at + PyUnicode_GET_LENGTH(text);
        for (;;) {
            part = *at - 48u;
            if (part > 9) return -1;
            digit = *++at - 48u;
            if (digit <= 9) {
                if (part == 0) return -1;
                part = part * 10 + digit;
                digit = *++at - 48u;
                if (digit <= 9) {
                    part = part * 10 + digit;
                    if (part > 255) return -1;
                    ++at;
                }
            }
            value = value << 8 | part;
            if (++parts == 4) return at == end ? value : -1;
            if (*at++ != '.') return -1;
        }
    }

    #define lapwing_octet(text, at) (((const unsigned char *)(((PyASCIIObject *)(text)) + 1))[at])

    /* `count` words of zero from the beginning of a line of the processor's cache, which whoever has them releases: what
       the system gave begins up to a line before, as the word before them says. One of them, and one of them written. */
    static CYTHON_INLINE unsigned long long *lapwing_words(Py_ssize_t count) {
        char *given = (char *)PyMem_Calloc((size_t)count + 8, sizeof(unsigned long long));
        void **made = (void **)(((size_t)given + 64) & ~(size_t)63);
        if (!given) {
            PyErr_NoMemory();
            return NULL;
        }
        made[-1] = given;
        return (unsigned long long *)made;
    }
    #define lapwing_release(words) PyMem_Free(((void **)(words))[-1])
    /* Where an item stands among so many of them, or would: at its share of them, or the first free place after it. */
    static CYTHON_INLINE unsigned long long lapwing_seek(
        const unsigned long long *words, unsigned int count, unsigned long long item
    ) {
        unsigned long long at = (item >> 32) * count >> 32;
        while (words[at] && words[at] != item)
            if (++at == count) at = 0;
        return at;
    }
    /* The same by lines: where all eight words of the line it belongs to are others, it is sought in the next one. */
    static CYTHON_INLINE unsigned long long lapwing_seek_lined(
        const unsigned long long *words, unsigned int count, unsigned long long item
    ) {
        unsigned long long at = (item >> 32) * count >> 32;
        int left = 8;
        while (words[at] && words[at] != item) {
            at = (at & ~7ULL) | ((at + 1) & 7);
            if (--left == 0) {
                at = (at & ~7ULL) + 8 < count ? (at & ~7ULL) + 8 : 0;
                left = 8;
            }
        }
        return at;
    }
    #define lapwing_word_at(words, at) ((words)[at])
    #define lapwing_set_word(words, at, word) ((void)((words)[at] = (word)))

    /* How many zeros stand before the highest bit of a word, 64 for none; and after the lowest of one that has any. */
    #if defined(__GNUC__) || defined(__clang__)
    #define lapwing_leading(word) ((word) ? __builtin_clzll(word) : 64)
    #define lapwing_trailing(word) __builtin_ctzll(word)
    #else
    static CYTHON_INLINE int lapwing_leading(unsigned long long word) {
        int count = 0;
        while (count < 64 && !(word >> (63 - count) & 1)) ++count;
        return count;
    }
    static CYTHON_INLINE int lapwing_trailing(unsigned long long word) {
        int count = 0;
        while (!(word >> count & 1)) ++count;
        return count;
    }
    #endif

    /* The first `count` (1 to 8) octets of a little-endian word, put among others: eight are read and written. */
    static CYTHON_INLINE void lapwing_lay(unsigned char *at, unsigned long long word, Py_ssize_t count) {
    #if PY_LITTLE_ENDIAN
        unsigned long long others = ~0ULL << 1 << (8 * count - 1), there;
        memcpy(&there, at, 8);
        word = (there & others) | (word & ~others);
        memcpy(at, &word, 8);
    #else
        while (count-- > 0) {
            *at++ = (unsigned char)word;
            word >>= 8;
        }
    #endif
    }
    #define lapwing_lay_at(octets, at, word, count) lapwing_lay((unsigned char *)(octets).data + (at), word, count)

    /* What stands there is read soon: have it fetched, and go on meanwhile. A record is some lines of memory. These are
       no functions: one that does nothing else changes nothing, so the compiler would leave its calls out. */
    #if defined(__GNUC__) || defined(__clang__)
    #define lapwing_soon(what) __builtin_prefetch(&(what))
    #define lapwing_soon_sought(words, count, item) __builtin_prefetch((words) + (((item) >> 32) * (count) >> 32))
    #define lapwing_soon_slot(records, at) __builtin_prefetch(((PyListObject *)(records))->ob_item + (at))
    #define lapwing_soon_record(records, at, lines) do { \
        const char *record_ = (const char *)PyList_GET_ITEM(records, at); \
        __builtin_prefetch(record_); \
        __builtin_prefetch(record_ + 64); \
        if ((lines) > 2) { \
            __builtin_prefetch(record_ + 128); \
            __builtin_prefetch(record_ + 192); \
            if ((lines) > 4) __builtin_prefetch(record_ + 256); \
        } \
    } while (0)
    #define lapwing_soon_parts(items, at, behind) do { \
        const char *item_ = (const char *)PyList_GET_ITEM(items, at); \
        __builtin_prefetch(item_); \
        __builtin_prefetch(item_ + (behind)); \
    } while (0)
    #define lapwing_soon_item(items, at, first, end) do { \
        const char *line_ = (const char *)PyList_GET_ITEM(items, at) + (first); \
        const char *last_ = line_ + ((end) - (first)) - 1; \
        for (; line_ < last_; line_ += 64) __builtin_prefetch(line_); \
        __builtin_prefetch(last_); \
    } while (0)
    #else
    #define lapwing_soon(what) ((void)(what))
    #define lapwing_soon_sought(words, count, item) ((void)(item))
    #define lapwing_soon_slot(records, at) ((void)(at))
    #define lapwing_soon_record(records, at, lines) ((void)(at))
    #define lapwing_soon_parts(items, at, behind) ((void)(at))
    #define lapwing_soon_item(items, at, first, end) ((void)(at))
    #endif

    /* How many lines of the processor's cache a record takes. */
    #define lapwing_lines_at(records, at) \
        ((int)((Py_TYPE(PyList_GET_ITEM(records, at))->tp_basicsize + 63) / 64))

    #define LAPWING_ROUND \\
        v0 += v1; v1 = (v1 << 13 | v1 >> 51) ^ v0; v0 = v0 << 32 | v0 >> 32; \\
        v2 += v3; v3 = (v3 << 16 | v3 >> 48) ^ v2; \\
        v0 += v3; v3 = (v3 << 21 | v3 >> 43) ^ v0; \\
        v2 += v1; v1 = (v1 << 17 | v1 >> 47) ^ v2; v2 = v2 << 32 | v2 >> 32;

    static CYTHON_INLINE unsigned long long lapwing_sip(
        unsigned long long k0, unsigned long long k1,
        unsigned long long first, unsigned long long second, unsigned long long third
    ) {
        unsigned long long v0 = k0 ^ 0x736F6D6570736575ULL, v1 = k1 ^ 0x646F72616E646F6DULL;
        unsigned long long v2 = k0 ^ 0x6C7967656E657261ULL, v3 = k1 ^ 0x7465646279746573ULL;
        v3 ^= first; LAPWING_ROUND v0 ^= first;
        v3 ^= second; LAPWING_ROUND v0 ^= second;
        v3 ^= third; LAPWING_ROUND v0 ^= third;
        v2 ^= 0xFF;
        LAPWING_ROUND LAPWING_ROUND LAPWING_ROUND
        v0 ^= v1 ^ v2 ^ v3;
        return v0 ? v0 : 1;
    }
    """
    bint is_plain "PyUnicode_IS_COMPACT_ASCII"(str text) nogil
    u64 octets "lapwing_octets"(str text, Py_ssize_t at) nogil
    long long ipv4 "lapwing_ipv4"(str text) nogil
    u64 octet "lapwing_octet"(str text, Py_ssize_t at) nogil
    u64 sip "lapwing_sip"(u64 k0, u64 k1, u64 first, u64 second, u64 third) nogil
    double exp2(double x) nogil
    long long nearest "llrint"(double x) nogil
    int leading "lapwing_leading"(u64 word) nogil
    int trailing "lapwing_trailing"(u64 word) nogil
    double log "log"(double of) nogil
    Words words "lapwing_words"(Py_ssize_t count) except NULL
    void release "lapwing_release"(Words words)
    u64 seek "lapwing_seek"(Words words, unsigned int count, u64 item) nogil
    u64 seek_lined "lapwing_seek_lined"(Words words, unsigned int count, u64 item) nogil
    u64 word_at "lapwing_word_at"(Words words, Py_ssize_t at) nogil
    void set_word "lapwing_set_word"(Words words, Py_ssize_t at, u64 word) nogil
    void lay "lapwing_lay_at"(unsigned char[::1] octets, u64 at, u64 word, Py_ssize_t count)
    void soon "lapwing_soon"(u64 what) nogil
    void soon_sought "lapwing_soon_sought"(Words words, unsigned int count, u64 item) nogil
    void soon_slot "lapwing_soon_slot"(list records, Py_ssize_t at)
    int lines_of "lapwing_lines_at"(list records, Py_ssize_t at)
    void soon_record "lapwing_soon_record"(list records, Py_ssize_t at, int lines)
    void soon_parts "lapwing_soon_parts"(list items, Py_ssize_t at, Py_ssize_t behind)
    void soon_item "lapwing_soon_item"(list items, Py_ssize_t at, Py_ssize_t first, Py_ssize_t end)

# What C does better than Python: `plainly.py` does the same where nothing is compiled. A typed module takes it as
# `cimport lapwing.detect.natively as natively` beside `from lapwing.detect import plainly as natively`.

ctypedef unsigned long long u64

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

    #define lapwing_octet(text, at) (((const unsigned char *)(((PyASCIIObject *)(text)) + 1))[at])

    /* A new object like `pattern`, whose type has numbers alone: nothing in it is counted or walked. */
    static CYTHON_INLINE PyObject *lapwing_like(PyObject *pattern) {
        PyTypeObject *type = Py_TYPE(pattern);
        PyObject *made;
        if (PyType_IS_GC(type)) {
            PyErr_SetString(PyExc_TypeError, "only objects that hold numbers alone can be copied so");
            return NULL;
        }
        made = _PyObject_New(type);
        if (made) memcpy(made + 1, pattern + 1, (size_t)type->tp_basicsize - sizeof(PyObject));
        return made;
    }

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
    u64 octet "lapwing_octet"(str text, Py_ssize_t at) nogil
    u64 sip "lapwing_sip"(u64 k0, u64 k1, u64 first, u64 second, u64 third) nogil
    double exp2(double x) nogil
    object like "lapwing_like"(object pattern)

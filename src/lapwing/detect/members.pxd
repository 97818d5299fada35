# Fields of a struct by their place in its memory: an event has sixteen that are read, and a look-up by name costs more
# than a hundred instructions each. `plainly.py` looks up the names where nothing is compiled. A typed module takes it as
# `cimport lapwing.detect.members as members` beside `from lapwing.detect import plainly as members`.

ctypedef unsigned long long u64

cdef extern from *:
    """
    #include <structmember.h>

    /* Where structs of `kind` have the field of this `name`. */
    static Py_ssize_t lapwing_place(PyObject *kind, PyObject *name) {
        PyObject *field = PyObject_GetAttr(kind, name);
        Py_ssize_t place = -1;
        if (field == NULL) return -1;
        if (Py_TYPE(field) == &PyMemberDescr_Type && ((PyMemberDescrObject *)field)->d_member->type == T_OBJECT_EX) {
            place = ((PyMemberDescrObject *)field)->d_member->offset;
        } else {
            PyErr_Format(PyExc_TypeError, "%R of %R is no field of a struct", name, kind);
        }
        Py_DECREF(field);
        return place;
    }

    /* What is there, in a struct of exactly that kind. */
    static CYTHON_INLINE PyObject *lapwing_member(PyObject *of, Py_ssize_t place) {
        PyObject *value = *(PyObject **)((char *)of + place);
        if (value == NULL) {
            PyErr_SetString(PyExc_AttributeError, "the field was never set");
            return NULL;
        }
        Py_INCREF(value);
        return value;
    }
    #define lapwing_is_member(of, place, what) (*(PyObject **)((char *)(of) + (place)) == (PyObject *)(what))
    #define lapwing_identity(of, place) ((size_t)*(PyObject **)((char *)(of) + (place)))

    /* A whole number. One in a single digit of 30 bits is at hand; a time in nanoseconds has three digits, which Python
       takes a long way to. */
    static CYTHON_INLINE long long lapwing_whole(PyObject *value) {
        long long number = -1;
    #if PYLONG_BITS_IN_DIGIT == 30
        const digit *digits = NULL;
        if (PyLong_CheckExact(value)) {
    #if PY_VERSION_HEX >= 0x030C0000
            const digit *all = ((PyLongObject *)value)->long_value.ob_digit;
            size_t size = ((PyLongObject *)value)->long_value.lv_tag;
            if (size == 3 << 3) digits = all;
            else if (size < 2 << 3) return (1 - (long long)(size & 3)) * (long long)all[0];
    #else
            const digit *all = ((PyLongObject *)value)->ob_digit;
            Py_ssize_t size = Py_SIZE(value);
            if (size == 3) digits = all;
            else if (size >= -1 && size <= 1) return (long long)size * (long long)all[0];
    #endif
        }
        if (digits != NULL && digits[2] < 8)
            return (long long)digits[0] | (long long)digits[1] << 30 | (long long)digits[2] << 60;
    #endif
        if (PyLong_Check(value)) return PyLong_AsLongLong(value);
        value = Py_TYPE(value)->tp_as_number && Py_TYPE(value)->tp_as_number->nb_int
            ? Py_TYPE(value)->tp_as_number->nb_int(value)
            : PyNumber_Index(value);  /* which says what is wrong */
        if (value != NULL) {
            number = PyLong_AsLongLong(value);
            Py_DECREF(value);
        }
        return number;
    }

    static CYTHON_INLINE long long lapwing_whole_member(PyObject *of, Py_ssize_t place) {
        PyObject *value = *(PyObject **)((char *)of + place);
        if (value != NULL) return lapwing_whole(value);
        PyErr_SetString(PyExc_AttributeError, "the field was never set");
        return -1;
    }

    static CYTHON_INLINE double lapwing_real_member(PyObject *of, Py_ssize_t place) {
        PyObject *value = *(PyObject **)((char *)of + place);
        if (value != NULL) return PyFloat_CheckExact(value) ? PyFloat_AS_DOUBLE(value) : PyFloat_AsDouble(value);
        PyErr_SetString(PyExc_AttributeError, "the field was never set");
        return -1.0;
    }

    /* What a column says of the row at `at`; one that has a single value says it of all. */
    static CYTHON_INLINE PyObject *lapwing_item(PyObject *column, Py_ssize_t at) {
        PyObject *item = PyList_GET_ITEM(column, at < PyList_GET_SIZE(column) ? at : 0);
        Py_INCREF(item);
        return item;
    }

    /* A struct in a list is read soon, or one that its field points at: have it fetched, and go on meanwhile. A text of
       ordinary length may lie in two lines. Macros, as in `natively.pxd`. */
    #if defined(__GNUC__) || defined(__clang__)
    #define lapwing_soon_struct(list, at) do { \
        if ((at) < PyList_GET_SIZE(list)) { \
            const char *first = (const char *)PyList_GET_ITEM(list, at); \
            __builtin_prefetch(first); \
            __builtin_prefetch(first + 64); \
            __builtin_prefetch(first + 128); \
            __builtin_prefetch(first + 192); \
        } \
    } while (0)
    #define lapwing_soon_text(text) do { \
        __builtin_prefetch(text); \
        __builtin_prefetch((const char *)(text) + 48); \
    } while (0)
    #define lapwing_soon_member(of, place) lapwing_soon_text(*(PyObject **)((char *)(of) + (place)))
    #define lapwing_soon_cell(column, at) do { \
        if ((at) < PyList_GET_SIZE(column)) lapwing_soon_text(PyList_GET_ITEM(column, at)); \
    } while (0)
    #else
    #define lapwing_soon_struct(list, at) ((void)(at))
    #define lapwing_soon_member(of, place) ((void)(of))
    #define lapwing_soon_cell(column, at) ((void)(at))
    #endif
    #define LAPWING_CELLS_AHEAD 16

    /* A copy of a column that has values of these two types alone; None where another one is among them. Each value is
       touched here for the first time: those that follow are fetched meanwhile. */
    static PyObject *lapwing_copied(PyObject *column, PyObject *one, PyObject *other) {
        Py_ssize_t count = PyList_GET_SIZE(column), at;
        PyObject *copy = PyList_New(count), *value;
        if (copy == NULL) return NULL;
        for (at = 0; at < count; ++at) {
            lapwing_soon_cell(column, at + LAPWING_CELLS_AHEAD);
            value = PyList_GET_ITEM(column, at);
            if ((PyObject *)Py_TYPE(value) != one && (PyObject *)Py_TYPE(value) != other) {
                Py_DECREF(copy);
                Py_RETURN_NONE;
            }
            Py_INCREF(value);
            PyList_SET_ITEM(copy, at, value);
        }
        return copy;
    }

    /* The whole numbers of a column as words; whether all of its values are that, from 0 to 2 to the 63 less one. */
    static int lapwing_counts(PyObject *column, unsigned long long *into) {
        Py_ssize_t count = PyList_GET_SIZE(column), at;
        long long number;
        for (at = 0; at < count; ++at) {
            lapwing_soon_cell(column, at + LAPWING_CELLS_AHEAD);
            if (!PyLong_CheckExact(PyList_GET_ITEM(column, at))) return 0;
            number = lapwing_whole(PyList_GET_ITEM(column, at));
            if (number < 0) {
                PyErr_Clear();  /* more than there is room for */
                return 0;
            }
            into[at] = (unsigned long long)number;
        }
        return 1;
    }
    #define lapwing_read_counts(column, into) lapwing_counts(column, (unsigned long long *)(into).data)

    /* The same as `item`, and the column has it no longer, unless it is what it says of all; and back again. */
    static CYTHON_INLINE PyObject *lapwing_take_item(PyObject *column, Py_ssize_t at) {
        PyObject *item;
        if (PyList_GET_SIZE(column) == 1) return lapwing_item(column, 0);
        item = PyList_GET_ITEM(column, at);
        Py_INCREF(Py_None);
        PyList_SET_ITEM(column, at, Py_None);
        return item;
    }
    static CYTHON_INLINE void lapwing_put_back(PyObject *column, Py_ssize_t at, PyObject *item) {
        PyObject *before;
        if (PyList_GET_SIZE(column) == 1) return;
        before = PyList_GET_ITEM(column, at);
        Py_INCREF(item);
        PyList_SET_ITEM(column, at, item);
        Py_DECREF(before);
    }
    """
    object copied "lapwing_copied"(list column, object one, object other)
    bint read_counts "lapwing_read_counts"(list column, u64[::1] into)
    object take_item "lapwing_take_item"(list column, Py_ssize_t at)
    void put_back "lapwing_put_back"(list column, Py_ssize_t at, object item)
    void soon_struct "lapwing_soon_struct"(list items, Py_ssize_t at)
    void soon_member "lapwing_soon_member"(object of, Py_ssize_t place)
    void soon_cell "lapwing_soon_cell"(list column, Py_ssize_t at)
    Py_ssize_t place "lapwing_place"(object kind, str name) except -1
    object member "lapwing_member"(object of, Py_ssize_t place)
    bint is_member "lapwing_is_member"(object of, Py_ssize_t place, object what)
    size_t identity "lapwing_identity"(object of, Py_ssize_t place)
    long long whole "lapwing_whole"(object value) except? -1
    long long whole_member "lapwing_whole_member"(object of, Py_ssize_t place) except? -1
    double real_member "lapwing_real_member"(object of, Py_ssize_t place) except? -1.0
    object item "lapwing_item"(list column, Py_ssize_t at)

# Memory for records: `slabs.py` alone takes it as `cimport lapwing.detect.pages as pages` beside
# `from lapwing.detect import plainly as pages`, as what is free is known to the module that this is compiled into.

cdef extern from *:
    """
    #include <string.h>
    #if defined(__linux__) && !defined(Py_GIL_DISABLED)
    #include <sys/mman.h>
    #endif

    #if defined(__GNUC__) || defined(__clang__)
    #define LAPWING_SELDOM __attribute__((noinline))
    #else
    #define LAPWING_SELDOM
    #endif

    #ifdef MADV_HUGEPAGE
    #define LAPWING_LINE 64            /* bytes; a record begins with one and has its lines for itself */
    #define LAPWING_LINES 16           /* larger ones are left to Python */
    #define LAPWING_SPAN (1L << 16)    /* bytes cut into records of one size at a time */
    #define LAPWING_CHUNK (1L << 21)   /* bytes asked for at a time: as many as a large page has */
    #define LAPWING_SMALL 2            /* chunks that stay ordinary pages: a large one is not worth its rounding up */

    typedef struct lapwing_gone { struct lapwing_gone *next; } lapwing_gone;
    static lapwing_gone *lapwing_free[LAPWING_LINES + 1];  /* by lines of a record: given back, the latest first */
    static char *lapwing_new[LAPWING_LINES + 1], *lapwing_end[LAPWING_LINES + 1];  /* never used */
    static char *lapwing_rest, *lapwing_rest_end;  /* of the chunk at hand */
    static int lapwing_chunks;

    /* Another chunk, at a multiple of its size. What the system knows of it costs nothing until it is touched.

       It is touched as ordinary pages, one after the other: a large one is emptied as a whole, which a login would wait
       for, milliseconds long where a virtual machine has not touched that memory before. A chunk that is full may
       become a large page when the system finds the time. */
    static int lapwing_enlarge(void) {
        char *area = mmap(NULL, 2 * LAPWING_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char *chunk;
        if (area == MAP_FAILED) return -1;
        chunk = (char *)(((size_t)area + LAPWING_CHUNK - 1) & ~(size_t)(LAPWING_CHUNK - 1));
        if (chunk > area) munmap(area, chunk - area);
        munmap(chunk + LAPWING_CHUNK, area + LAPWING_CHUNK - chunk);
        if (++lapwing_chunks > LAPWING_SMALL + 1)
            madvise(lapwing_rest_end - LAPWING_CHUNK, LAPWING_CHUNK, MADV_HUGEPAGE);
        lapwing_rest = chunk;
        lapwing_rest_end = chunk + LAPWING_CHUNK;
        return 0;
    }

    /* Another span for records of so many lines; -1 where there is no memory. */
    static CYTHON_UNUSED int lapwing_extend(size_t lines) {
        if (lapwing_rest == lapwing_rest_end && lapwing_enlarge() < 0) return -1;
        lapwing_new[lines] = lapwing_rest;
        lapwing_end[lines] = lapwing_rest += LAPWING_SPAN;
        return 0;
    }

    #define lapwing_is_room(lines) \
        (lapwing_free[lines] || lapwing_end[lines] - lapwing_new[lines] >= (Py_ssize_t)((lines) * LAPWING_LINE))

    /* Room for a record of so many lines, where there is, and where the next one will be. */
    static CYTHON_INLINE char *lapwing_take(size_t lines, char **next) {
        char *made;
        if (lapwing_free[lines]) {
            made = (char *)lapwing_free[lines];
            lapwing_free[lines] = lapwing_free[lines]->next;
            *next = (char *)lapwing_free[lines];
        } else {
            made = lapwing_new[lines];
            *next = lapwing_new[lines] = made + lines * LAPWING_LINE;
        }
        return made;
    }

    #define lapwing_lines_of(type) (((size_t)(type)->tp_basicsize + LAPWING_LINE - 1) / LAPWING_LINE)

    static PyObject *lapwing_alloc(PyTypeObject *type, Py_ssize_t CYTHON_UNUSED items) {
        size_t lines = lapwing_lines_of(type);
        char *made, *next;
        if (!lapwing_is_room(lines) && lapwing_extend(lines) < 0) return PyErr_NoMemory();
        made = lapwing_take(lines, &next);
        memset(made, 0, lines * LAPWING_LINE);
        return PyObject_Init((PyObject *)made, type);
    }

    static void lapwing_give_back(void *object) {
        size_t lines = lapwing_lines_of(Py_TYPE((PyObject *)object));
        lapwing_gone *gone = (lapwing_gone *)object;
        gone->next = lapwing_free[lines];
        lapwing_free[lines] = gone;
    }

    /* Objects of `kind`, of which there is none yet, are kept in slabs. It has numbers alone, and nobody derives from
       it but in Python, where a class has its memory from Python again. */
    static CYTHON_UNUSED PyObject *lapwing_keep(PyObject *kind) {
        PyTypeObject *type = (PyTypeObject *)kind;
        if (!PyType_Check(kind) || PyType_IS_GC(type) || type->tp_itemsize) {
            PyErr_SetString(PyExc_TypeError, "only types that hold numbers alone have slabs");
            return NULL;
        }
        if (lapwing_lines_of(type) <= LAPWING_LINES && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
            type->tp_alloc = lapwing_alloc;
            type->tp_free = lapwing_give_back;
        }
        Py_RETURN_NONE;
    }
    #define lapwing_is_kept(type) ((type)->tp_alloc == lapwing_alloc)

    /* All of an object is copied line by line, and needs only its own count then, as kept types are not counted. What
       the next one will be written to is fetched meanwhile. */
    static CYTHON_INLINE PyObject *lapwing_kept_like(PyObject *pattern, size_t lines) {
        const char *from = (const char *)pattern;
        char *next, *to = lapwing_take(lines, &next);
        PyObject *made = (PyObject *)to;
        do {
            memcpy(to, from, LAPWING_LINE);
            __builtin_prefetch(next, 1);
            to += LAPWING_LINE;
            from += LAPWING_LINE;
            next += LAPWING_LINE;
        } while (--lines > 0);
    #if defined(Py_REF_DEBUG) || defined(Py_TRACE_REFS)
        return PyObject_Init(made, Py_TYPE(pattern));
    #else
        Py_SET_REFCNT(made, 1);
        return made;
    #endif
    }
    #else
    #define lapwing_is_kept(type) 0
    #define lapwing_is_room(lines) 0
    #define lapwing_extend(lines) (-1)
    #define lapwing_kept_like(pattern, lines) NULL
    #define lapwing_lines_of(type) 0
    static CYTHON_UNUSED PyObject *lapwing_keep(PyObject CYTHON_UNUSED *kind) { Py_RETURN_NONE; }
    #endif

    /* A new object like `pattern`, whose type has numbers alone: nothing in it is counted or walked. What is seldom so
       stands apart, as what is always so is spared the saving of registers. */
    static CYTHON_UNUSED LAPWING_SELDOM PyObject *lapwing_seldom_like(PyObject *pattern) {
        PyTypeObject *type = Py_TYPE(pattern);
        PyObject *made;
        if (lapwing_is_kept(type)) {
            if (lapwing_extend(lapwing_lines_of(type)) < 0) return PyErr_NoMemory();
            return lapwing_kept_like(pattern, lapwing_lines_of(type));
        }
        if (PyType_IS_GC(type)) {
            PyErr_SetString(PyExc_TypeError, "only objects that hold numbers alone can be copied so");
            return NULL;
        }
        made = _PyObject_New(type);
        if (made == NULL) return NULL;
        memcpy(made + 1, pattern + 1, (size_t)type->tp_basicsize - sizeof(PyObject));
        return made;
    }
    static CYTHON_INLINE PyObject *lapwing_like(PyObject *pattern) {
        size_t lines = lapwing_lines_of(Py_TYPE(pattern));
        if (!lapwing_is_kept(Py_TYPE(pattern)) || !lapwing_is_room(lines)) return lapwing_seldom_like(pattern);
        return lapwing_kept_like(pattern, lines);
    }
    """
    object keep "lapwing_keep"(object kind)
    object like "lapwing_like"(object pattern)

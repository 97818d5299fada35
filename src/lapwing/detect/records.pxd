# Records out of lists that hold nothing else, so that none has to be asked for its type. `plainly.py` does the same where
# nothing is compiled. A typed module takes it as `cimport lapwing.detect.records as records` beside
# `from lapwing.detect import plainly as records`.

from lapwing.detect.rows cimport Row

cdef extern from *:
    """
    static CYTHON_INLINE void *lapwing_row(PyObject *rows, Py_ssize_t at) {
        PyObject *row = PyList_GET_ITEM(rows, at);
        Py_INCREF(row);
        return row;
    }
    static CYTHON_INLINE void lapwing_replace(PyObject *rows, Py_ssize_t at, PyObject *row) {
        PyObject *before = PyList_GET_ITEM(rows, at);
        Py_INCREF(row);
        PyList_SET_ITEM(rows, at, row);
        Py_DECREF(before);
    }
    """
    void replace "lapwing_replace"(list rows, Py_ssize_t at, object row)
    Row row "lapwing_row"(list rows, Py_ssize_t at)

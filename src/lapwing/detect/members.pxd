# Fields of a struct by their place in its memory: an event has sixteen that are read, and a look-up by name costs more
# than a hundred instructions each. `plainly.py` looks up the names where nothing is compiled. A typed module takes it as
# `cimport lapwing.detect.members as members` beside `from lapwing.detect import plainly as members`.

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
    """
    Py_ssize_t place "lapwing_place"(object kind, str name) except -1
    object member "lapwing_member"(object of, Py_ssize_t place)

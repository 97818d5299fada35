# Logins out of lists that hold nothing else, so that none has to be asked for its type. `plainly.py` does the same where
# nothing is compiled. A typed module takes it as `cimport lapwing.detect.logins as logins` beside
# `from lapwing.detect import plainly as logins`.

from lapwing.detect.login cimport Login

cdef extern from *:
    """
    static CYTHON_INLINE void *lapwing_login(PyObject *logins, Py_ssize_t at) {
        PyObject *login = PyList_GET_ITEM(logins, at);
        Py_INCREF(login);
        return login;
    }
    """
    Login row "lapwing_login"(list logins, Py_ssize_t at)

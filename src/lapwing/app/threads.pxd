# Of `threading`, what costs no call of Python: `cimport lapwing.app.threads as native` beside `import threading as native`.

cdef extern from *:
    unsigned long get_ident "PyThread_get_thread_ident"()

cpdef str version_name(int number)
cpdef str cipher_name(int number)
cpdef str group_name(int number)
cpdef str alert_name(int number)

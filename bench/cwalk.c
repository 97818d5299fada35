/* The limit: walks the record headers of a capture and nothing else. */
#include "capture.h"

int main(int argc, char **argv) {
    if (argc != 2) fail("usage: cwalk FILE");
    double begin = now_seconds();
    struct reader reader = open_capture(argv[1]);
    uint64_t packets = 0, bytes = 0;
    uint32_t length;
    while (next_record(&reader, &length) != NULL) {
        packets++;
        bytes += length;
    }
    printf("{\"packets\": %llu, \"flows\": 0, \"bytes\": %llu, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n",
           (unsigned long long)packets, (unsigned long long)bytes, now_seconds() - begin, cpu_seconds());
    return 0;
}

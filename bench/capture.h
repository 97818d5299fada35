/* Reading a classic little-endian pcap file in chunks: shared by the two C programs.
 *
 * A chunked read is used because it is the faster of the two honest ways here: mapping the file costs a page
 * fault every 4 KiB.
 */
#ifndef BENCH_CAPTURE_H
#define BENCH_CAPTURE_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_BYTES (1u << 20)    /* one read; stays in the second-level cache */
#define MAX_RECORD_BYTES (1u << 18) /* a longer record means a damaged file */
#define FILE_HEADER_BYTES 24
#define RECORD_HEADER_BYTES 16

struct reader {
    int fd;
    uint8_t *buffer;
    size_t start, end;
};

static inline uint32_t le32(const uint8_t *p) {
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline double clock_seconds(clockid_t clock) {
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static inline double now_seconds(void) { return clock_seconds(CLOCK_MONOTONIC); }

static inline double cpu_seconds(void) { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }

static void fail(const char *message) {
    fprintf(stderr, "%s\n", message);
    exit(3);
}

/* Moves what is left to the front and fills up; 0 at the end of the file. */
static int refill(struct reader *reader) {
    size_t left = reader->end - reader->start;
    memmove(reader->buffer, reader->buffer + reader->start, left);
    ssize_t got = read(reader->fd, reader->buffer + left, CHUNK_BYTES);
    reader->start = 0;
    reader->end = left + (got > 0 ? (size_t)got : 0);
    return got > 0;
}

static struct reader open_capture(const char *path) {
    struct reader reader = {.fd = open(path, O_RDONLY), .buffer = malloc(CHUNK_BYTES + MAX_RECORD_BYTES)};
    if (reader.fd < 0 || reader.buffer == NULL) fail("cannot open the capture");
    if (!refill(&reader) || reader.end < FILE_HEADER_BYTES || le32(reader.buffer) != 0xa1b2c3d4)
        fail("not a little-endian pcap file");
    reader.start = FILE_HEADER_BYTES;
    return reader;
}

/* The next record's captured bytes, or NULL at the end; valid until the next call. */
static inline const uint8_t *next_record(struct reader *reader, uint32_t *length) {
    for (;;) {
        size_t left = reader->end - reader->start;
        if (left >= RECORD_HEADER_BYTES) {
            const uint8_t *record = reader->buffer + reader->start;
            uint32_t captured = le32(record + 8);
            if (captured > MAX_RECORD_BYTES - RECORD_HEADER_BYTES) fail("a record of absurd length");
            if (left >= RECORD_HEADER_BYTES + captured) {
                reader->start += RECORD_HEADER_BYTES + captured;
                *length = captured;
                return record + RECORD_HEADER_BYTES;
            }
        }
        if (!refill(reader)) return NULL;
    }
}

#endif

/* Asks a DNS server for names below one, each once, a window of them on their way over several sockets:
 *
 *     dnsload PORT COUNT WINDOW NAME [SOCKETS [FILE [IDS]]]
 *
 * Batches of system calls, so that asking costs a fraction of answering. The names are `q<8 hex digits>.NAME`.
 * What was not answered within two seconds of silence is lost, with IDS within a minute. After a SIGTERM it takes what
 * was answered and ends. Prints one line: answered, lost, wall seconds, and its own processor seconds. FILE gets the number of each answered
 * query as four bytes, least significant first; `-` is none. IDS holds ids of ID_CHARS characters each, nothing between
 * them: every query has one of them, in no order, in place of the first characters of NAME. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { ID_CHARS = 20, ID_PLACE = 23, BATCH = 64, MAX_SOCKETS = 16, MAX_QUERY = 300, SILENCE_MS = 2000, LONG_SILENCE_MS = 60000 };

static volatile sig_atomic_t ended;

static void end(int number) {
    (void)number;
    ended = 1;
}

static double wall(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* The query for a name, its eight digits left to be filled in at byte 14. */
static int query(unsigned char *out, const char *name) {
    static const unsigned char head[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9, 'q'};
    memcpy(out, head, sizeof head);
    int at = sizeof head + 8;
    while (*name) {
        int length = strcspn(name, ".");
        if (length > 63 || at + length > MAX_QUERY - 8) exit(2);
        out[at++] = length;
        memcpy(out + at, name, length);
        at += length;
        name += length + (name[length] == '.');
    }
    memcpy(out + at, "\0\0\1\0\1", 5);
    return at + 5;
}

static void number(unsigned char *message, unsigned value) {
    static const char digits[] = "0123456789abcdef";
    message[0] = value >> 8;
    message[1] = value;
    for (int place = 0; place < 8; place++) message[14 + place] = digits[value >> (28 - 4 * place) & 15];
}

/* All of a file; its size goes to `size`. */
static char *whole(const char *path, long *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) exit(4);
    *size = ftell(file);
    rewind(file);
    char *text = malloc(*size);
    if (!text || fread(text, 1, *size, file) != (size_t)*size) exit(4);
    fclose(file);
    return text;
}

/* The number in the name of an answer; its question is the query's. */
static unsigned answered_number(const unsigned char *message) {
    unsigned value = 0;
    for (int place = 14; place < 22; place++)
        value = value << 4 | (message[place] <= '9' ? message[place] - '0' : message[place] - 'a' + 10);
    return value;
}

int main(int count_of, char **words) {
    if (count_of < 5) return 2;
    const long total = atol(words[2]), window = atol(words[3]);
    const int sockets = count_of > 5 ? atoi(words[5]) : 1;
    if (sockets < 1 || sockets > MAX_SOCKETS) return 2;
    FILE *file = count_of > 6 && strcmp(words[6], "-") ? fopen(words[6], "wb") : NULL;
    long ids_size = 0;
    const char *ids = count_of > 7 ? whole(words[7], &ids_size) : NULL;
    const unsigned long ids_count = ids_size / ID_CHARS;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1])),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pollfd polled[MAX_SOCKETS];
    const int room = 8 << 20;
    signal(SIGTERM, end);
    for (int index = 0; index < sockets; index++) {
        polled[index] = (struct pollfd){.fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN};
        setsockopt(polled[index].fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
        if (connect(polled[index].fd, (struct sockaddr *)&server, sizeof server)) return 3;
    }
    static unsigned char questions[BATCH][MAX_QUERY], answers[BATCH][2048];
    static struct iovec out[BATCH], in[BATCH];
    static struct mmsghdr sending[BATCH], taking[BATCH];
    const int size = query(questions[0], words[4]);
    for (int index = 0; index < BATCH; index++) {
        if (index) memcpy(questions[index], questions[0], size);
        out[index] = (struct iovec){questions[index], size};
        in[index] = (struct iovec){answers[index], sizeof answers[index]};
        sending[index].msg_hdr = (struct msghdr){.msg_iov = &out[index], .msg_iovlen = 1};
        taking[index].msg_hdr = (struct msghdr){.msg_iov = &in[index], .msg_iovlen = 1};
    }
    long sent = 0, answered = 0, lost = 0;
    int next = 0;
    const double began = wall();
    while (answered + lost < total) {
        while (!ended && sent < total && sent - answered - lost + BATCH <= window) {
            const int batch = total - sent < BATCH ? total - sent : BATCH;
            for (int index = 0; index < batch; index++) {
                number(questions[index], sent + index);
                if (ids) {
                    const unsigned long one = (sent + index) * 2654435761UL % ids_count;
                    memcpy(questions[index] + ID_PLACE, ids + one * ID_CHARS, ID_CHARS);
                }
            }
            const int done = sendmmsg(polled[next].fd, sending, batch, 0);
            if (done <= 0) break;
            sent += done;
            next = (next + 1) % sockets;
        }
        if (!poll(polled, sockets, ids ? LONG_SILENCE_MS : SILENCE_MS)) lost = sent - answered;
        for (int index = 0; index < sockets; index++) {
            int got = BATCH;
            while ((polled[index].revents & POLLIN || ended) && got == BATCH) {
                got = recvmmsg(polled[index].fd, taking, BATCH, MSG_DONTWAIT, NULL);
                if (got > 0) answered += got;
                for (int one = 0; file && one < got; one++) {
                    const unsigned value = answered_number(answers[one]);
                    fwrite(&value, 4, 1, file);
                }
            }
        }
        if (ended) lost = total - answered;
    }
    if (file) fclose(file);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    const double took = wall() - began;
    const double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("%ld %ld %.6f %.6f\n", answered, lost, took, cpu);
    return 0;
}

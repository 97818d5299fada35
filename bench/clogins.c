/* The yardstick of login decisions: the least that counting a login by six keys can do.
 *
 * Reads the address from its text, hashes account, secret and client (SipHash-1-3), and counts by pair, source, network,
 * account, secret and client: each in a table with open addressing whose records are two cache lines, with four
 * half-lives of two counts that are brought up to date and compared with a threshold. What all six lookups need is
 * asked for before the first waits. No names kept, no typos excused, no distinct counts, no findings, no answers kept,
 * no bound, nothing taken back: a decision is a sum.
 *
 * Usage: clogins RESIDENT TIMED. One line of JSON: nanoseconds a decision takes, half about the attack and half about
 * ordinary users, in the traffic of `lapwing.lab.pace`.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAIR, SOURCE, NETWORK, ACCOUNT, SECRET, CLIENT, KEYS, LIVES = 4, CLIENTS = 1000, PEOPLE = 2000, VICTIMS = 20000 };

struct record {
    uint64_t key;
    int64_t at_ns;
    double pairs[LIVES], tries[LIVES];
    double good;
    uint64_t spare[5];
} __attribute__((aligned(64)));

struct slot {
    uint32_t mark, number; /* half of the key; the record's number plus one, 0 for none */
};

struct table {
    struct slot *slots;
    struct record *records;
    uint64_t mask, count, room;
};

struct login {
    char address[16], account[24], secret[24], client[24];
    int64_t at_ns;
    int failed;
};

static struct table tables[KEYS];
static const uint64_t k0 = 0x0706050403020100u, k1 = 0x0f0e0d0c0b0a0908u;
static const double DAY_NS = 86400e9, FREE = 3.0, SLOPE = 0.8;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "clogins: %s\n", what);
    exit(1);
}

static inline uint64_t turn(uint64_t word, int by) { return word << by | word >> (64 - by); }

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct state *s) {
    s->v0 += s->v1, s->v1 = turn(s->v1, 13) ^ s->v0, s->v0 = turn(s->v0, 32);
    s->v2 += s->v3, s->v3 = turn(s->v3, 16) ^ s->v2;
    s->v0 += s->v3, s->v3 = turn(s->v3, 21) ^ s->v0;
    s->v2 += s->v1, s->v1 = turn(s->v1, 17) ^ s->v2, s->v2 = turn(s->v2, 32);
}

static inline uint64_t sip(const uint64_t *words, int count) {
    struct state s = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                      k1 ^ 0x7465646279746573u};
    for (int at = 0; at < count; at++) {
        s.v3 ^= words[at];
        sip_round(&s);
        s.v0 ^= words[at];
    }
    s.v2 ^= 0xff;
    sip_round(&s), sip_round(&s), sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static inline uint64_t sip_text(uint64_t domain, const char *text) {
    uint64_t words[4] = {domain};
    size_t length = strlen(text);
    memcpy(words + 1, text, length);
    return sip(words, 2 + (int)(length > 0 ? (length - 1) / 8 : 0));
}

static inline uint64_t sip_pair(uint64_t domain, uint64_t first, uint64_t second) {
    return sip((uint64_t[]){domain, first, second}, 3);
}

static inline uint32_t parse(const char *text) {
    uint32_t address = 0, part = 0;
    for (;; text++) {
        if (*text >= '0' && *text <= '9') {
            part = part * 10 + (uint32_t)(*text - '0');
        } else {
            address = address << 8 | part;
            part = 0;
            if (*text == 0) return address;
        }
    }
}

static void widen(struct table *table) {
    uint64_t room = table->room ? table->room * 2 : 1024, size = room * 2;
    struct record *records = aligned_alloc(64, room * sizeof *records);
    struct slot *slots = calloc(size, sizeof *slots);
    if (records == NULL || slots == NULL) fail("out of memory");
    if (table->count) memcpy(records, table->records, table->count * sizeof *records);
    for (uint64_t number = 0; number < table->count; number++) {
        uint64_t at = records[number].key & (size - 1);
        while (slots[at].number) at = (at + 1) & (size - 1);
        slots[at] = (struct slot){(uint32_t)(records[number].key >> 32), (uint32_t)number + 1};
    }
    free(table->records);
    free(table->slots);
    *table = (struct table){slots, records, size - 1, table->count, room};
}

static inline struct record *find(struct table *table, uint64_t key, int64_t at_ns) {
    if (table->count == table->room) widen(table);
    uint64_t at = key & table->mask;
    uint32_t mark = (uint32_t)(key >> 32);
    for (; table->slots[at].number; at = (at + 1) & table->mask) {
        struct record *record = &table->records[table->slots[at].number - 1];
        if (table->slots[at].mark == mark && record->key == key) return record;
    }
    struct record *record = &table->records[table->count++];
    memset(record, 0, sizeof *record);
    record->key = key, record->at_ns = at_ns;
    table->slots[at] = (struct slot){mark, (uint32_t)table->count};
    return record;
}

static inline void settle(struct record *record, int64_t now_ns) {
    int64_t age_ns = now_ns - record->at_ns;
    if (age_ns <= 0) return;
    record->at_ns = now_ns;
    double day = exp2((double)-age_ns / DAY_NS), quarter = day * day * day * day;
    double hour = quarter * quarter * quarter, left[LIVES];
    hour *= hour;
    double minutes = hour * hour * hour;
    minutes *= minutes;
    left[0] = minutes * minutes, left[1] = hour, left[2] = quarter, left[3] = day;
    for (int life = 0; life < LIVES; life++) record->pairs[life] *= left[life], record->tries[life] *= left[life];
    record->good *= day;
}

static double decide(const struct login *login) {
    uint32_t address = parse(login->address);
    uint64_t key[KEYS];
    key[SOURCE] = sip_pair(1, 0xffff, address);
    key[NETWORK] = sip_pair(2, 0xffff, address >> 8);
    key[ACCOUNT] = sip_text(3, login->account);
    key[SECRET] = sip_text(4, login->secret);
    key[CLIENT] = sip_text(5, login->client);
    key[PAIR] = sip_pair(6, key[SOURCE], key[ACCOUNT]);
    for (int by = 0; by < KEYS; by++) __builtin_prefetch(&tables[by].slots[key[by] & tables[by].mask]);
    for (int by = 0; by < KEYS; by++) {
        uint32_t number = tables[by].slots[key[by] & tables[by].mask].number;
        if (number == 0) continue;
        __builtin_prefetch(&tables[by].records[number - 1], 1);
        __builtin_prefetch((char *)&tables[by].records[number - 1] + 64, 1);
    }
    double weight = 0.0;
    int first = 0;
    for (int by = 0; by < KEYS; by++) {
        if (by == SECRET && login->secret[0] == 0) continue;
        struct record *record = find(&tables[by], key[by], login->at_ns);
        settle(record, login->at_ns);
        if (login->failed) {
            if (by == PAIR) first = record->tries[LIVES - 1] < 0.5;
            for (int life = 0; life < LIVES; life++) record->pairs[life] += first, record->tries[life] += 1.0;
        } else {
            record->good += 1.0;
        }
        for (int life = 0; life < LIVES; life++) {
            double over = record->pairs[life] - FREE - record->good;
            if (over > 0.0) weight += over * SLOPE;
        }
    }
    return weight;
}

static struct login login_of(int64_t at, uint64_t source, const char *kind, uint64_t who, int64_t secret, int client) {
    struct login login = {.at_ns = at * 1000000, .failed = secret >= 0};
    uint32_t n = (uint32_t)(source * 2654435761u);
    snprintf(login.address, sizeof login.address, "%u.%u.%u.%u", n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255);
    snprintf(login.account, sizeof login.account, "%s%" PRIu64, kind, who);
    if (secret >= 0) snprintf(login.secret, sizeof login.secret, "s%" PRId64, secret);
    snprintf(login.client, sizeof login.client, "ja4:t13d%d", client);
    return login;
}

static struct login attack(uint64_t resident, uint64_t n) {
    return login_of((int64_t)(resident + n), n * 7919 % resident, "victim", n % VICTIMS, (int64_t)n, (int)(n % CLIENTS));
}

static struct login person(uint64_t from, uint64_t n) {
    return login_of((int64_t)(from + n), 1ull << 31 | n % PEOPLE, "person", n % PEOPLE, -1, CLIENTS + (int)(n % 8));
}

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int main(int count, char **words) {
    if (count != 3) fail("usage: clogins RESIDENT TIMED");
    uint64_t resident = strtoull(words[1], NULL, 10), timed = strtoull(words[2], NULL, 10) & ~1ull;
    struct login *logins = calloc(timed + 1, sizeof *logins);
    int64_t *costs = calloc(timed + 1, sizeof *costs), looks[1000];
    if (resident == 0 || timed == 0 || logins == NULL || costs == NULL) fail("usage: clogins RESIDENT TIMED");
    double sum = 0.0;
    for (int by = 0; by < KEYS; by++) widen(&tables[by]);
    for (uint64_t n = 0; n < resident; n++) {
        struct login login = login_of((int64_t)n, n, "user", n, (int64_t)n, (int)(n % CLIENTS));
        sum += decide(&login);
    }
    for (uint64_t n = 0; n < PEOPLE; n++) {
        struct login login = person(resident, n);
        sum += decide(&login);
    }
    for (uint64_t n = 0; n < timed / 2; n++) {
        logins[n] = attack(resident, timed + n);
        logins[timed / 2 + n] = person(resident + timed, n);
    }
    for (int n = 0; n < 1000; n++) looks[n] = -now_ns(), looks[n] += now_ns();
    for (uint64_t n = 0; n < timed; n++) {
        int64_t start = now_ns();
        sum += decide(&logins[n]);
        costs[n] = now_ns() - start;
    }
    qsort(looks, 1000, sizeof *looks, by_value);
    qsort(costs, timed / 2, sizeof *costs, by_value);
    double attack_p50 = (double)(costs[timed / 4] - looks[500]) / 1e3;
    qsort(costs, timed, sizeof *costs, by_value);
    printf("{\"p50_us\": %.3f, \"p99_us\": %.3f, \"attack_p50_us\": %.3f, \"resident\": %" PRIu64 ", \"sum\": %.1f}\n",
           (double)(costs[timed / 2] - looks[500]) / 1e3, (double)(costs[timed * 99 / 100] - looks[500]) / 1e3,
           attack_p50, resident, sum);
    return 0;
}

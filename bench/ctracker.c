/* The yardstick: the least a flow tracker can do.
 *
 * Parses Ethernet, VLAN tags, IPv4, IPv6 with its common extension headers, TCP and UDP with every length checked;
 * sorts the two endpoints into one key; looks it up in a table with open addressing; counts packets and bytes per
 * direction. No state, no timeouts, no output per flow, no prefetching.
 */
#include "capture.h"

enum { TCP = 6, UDP = 17, MAX_EXTENSIONS = 8 };

struct key { /* 40 bytes, no padding, so that it can be hashed and compared as words */
    uint8_t low[16], high[16];
    uint16_t low_port, high_port;
    uint32_t protocol; /* with the IP version in the second byte */
};

struct flow {
    struct key key;
    uint32_t packets[2];
    uint64_t bytes[2];
};

struct table {
    struct flow *flows; /* a slot is free while both its packet counts are zero */
    uint64_t mask, used, seed;
};

static inline uint64_t mix(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_key(const struct key *key, uint64_t seed) {
    uint64_t word[5];
    memcpy(word, key, sizeof word);
    uint64_t hash = mix(word[0] ^ seed, word[1] ^ 0x9e3779b97f4a7c15u);
    hash = mix(hash ^ word[2], word[3] ^ 0xe7037ed1a0b428dbu);
    return mix(hash ^ word[4], seed ^ 0x8ebc6af09c88c6e3u);
}

static struct flow *find(struct table *table, const struct key *key) {
    uint64_t slot = hash_key(key, table->seed) & table->mask;
    for (;; slot = (slot + 1) & table->mask) {
        struct flow *flow = &table->flows[slot];
        if ((flow->packets[0] | flow->packets[1]) == 0 || memcmp(&flow->key, key, sizeof *key) == 0) return flow;
    }
}

static void allocate(struct table *table, uint64_t slots) {
    table->flows = calloc(slots, sizeof(struct flow));
    if (table->flows == NULL) fail("out of memory");
    table->mask = slots - 1;
}

static void grow(struct table *table) {
    struct table old = *table;
    allocate(table, (old.mask + 1) * 2);
    for (uint64_t slot = 0; slot <= old.mask; slot++) {
        struct flow *flow = &old.flows[slot];
        if (flow->packets[0] | flow->packets[1]) *find(table, &flow->key) = *flow;
    }
    free(old.flows);
}

/* Fills the key and the direction (1 when the sender is the higher endpoint); 0 when there is no IP packet. */
static inline int parse(const uint8_t *p, uint32_t length, struct key *key, int *direction) {
    if (length < 14) return 0;
    uint32_t at = 14;
    uint16_t type = be16(p + 12);
    while (type == 0x8100 || type == 0x88a8) {
        if (length < at + 4) return 0;
        type = be16(p + at + 2);
        at += 4;
    }
    uint8_t source[16] = {0}, target[16] = {0};
    uint8_t protocol;
    int first_fragment = 1;
    if (type == 0x0800) {
        if (length < at + 20 || p[at] >> 4 != 4) return 0;
        uint32_t header = (uint32_t)(p[at] & 15) * 4;
        if (header < 20 || length < at + header || be16(p + at + 2) < header) return 0;
        memcpy(source, p + at + 12, 4);
        memcpy(target, p + at + 16, 4);
        protocol = p[at + 9];
        first_fragment = (be16(p + at + 6) & 0x1fff) == 0;
        at += header;
        key->protocol = 0x400u | protocol;
    } else if (type == 0x86dd) {
        if (length < at + 40 || p[at] >> 4 != 6) return 0;
        memcpy(source, p + at + 8, 16);
        memcpy(target, p + at + 24, 16);
        protocol = p[at + 6];
        at += 40;
        for (int i = 0; i < MAX_EXTENSIONS && (protocol == 0 || protocol == 43 || protocol == 44 || protocol == 60); i++) {
            if (length < at + 8) return 0;
            if (protocol == 44) first_fragment = (be16(p + at + 2) & 0xfff8) == 0;
            uint32_t header = protocol == 44 ? 8 : ((uint32_t)p[at + 1] + 1) * 8;
            protocol = p[at];
            at += header;
        }
        key->protocol = 0x600u | protocol;
    } else {
        return 0;
    }
    uint16_t source_port = 0, target_port = 0;
    if (first_fragment && (protocol == TCP || protocol == UDP)) {
        if (length < at + (protocol == TCP ? 20 : 8)) return 0;
        source_port = be16(p + at);
        target_port = be16(p + at + 2);
        if (protocol == TCP && (p[at + 12] >> 4) < 5) return 0;
    }
    int order = memcmp(source, target, 16);
    *direction = order > 0 || (order == 0 && source_port > target_port);
    memcpy(key->low, *direction ? target : source, 16);
    memcpy(key->high, *direction ? source : target, 16);
    key->low_port = *direction ? target_port : source_port;
    key->high_port = *direction ? source_port : target_port;
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 2) fail("usage: ctracker FILE");
    double begin = now_seconds();
    struct reader reader = open_capture(argv[1]);
    struct table table = {.seed = (uint64_t)(begin * 1e9) * 0x9e3779b97f4a7c15u};
    allocate(&table, 1 << 16);
    uint64_t packets = 0, skipped = 0;
    uint32_t length;
    const uint8_t *packet;
    while ((packet = next_record(&reader, &length)) != NULL) {
        struct key key;
        int direction;
        packets++;
        if (!parse(packet, length, &key, &direction)) {
            skipped++;
            continue;
        }
        struct flow *flow = find(&table, &key);
        if ((flow->packets[0] | flow->packets[1]) == 0) {
            if (table.used * 10 >= table.mask * 7) {
                grow(&table);
                flow = find(&table, &key);
            }
            flow->key = key;
            table.used++;
        }
        flow->packets[direction]++;
        flow->bytes[direction] += length;
    }
    uint64_t flow_packets = 0, flow_bytes = 0;
    for (uint64_t slot = 0; slot <= table.mask; slot++) {
        flow_packets += (uint64_t)table.flows[slot].packets[0] + table.flows[slot].packets[1];
        flow_bytes += table.flows[slot].bytes[0] + table.flows[slot].bytes[1];
    }
    printf("{\"packets\": %llu, \"flows\": %llu, \"skipped\": %llu, \"flow_packets\": %llu, \"flow_bytes\": %llu, "
           "\"seconds\": %.6f, \"cpu_seconds\": %.6f}\n",
           (unsigned long long)packets, (unsigned long long)table.used, (unsigned long long)skipped,
           (unsigned long long)flow_packets, (unsigned long long)flow_bytes, now_seconds() - begin, cpu_seconds());
    return 0;
}

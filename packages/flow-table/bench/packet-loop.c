// The packet loop of `flow-table` in C, as a yardstick: the same batches of rows, the same key, hash, index and records, for packets of the
// common case (Ethernet with at most one tag, IPv4, TCP or UDP). gcc -O2 packet-loop.c -o packet-loop; ./packet-loop FILE.pcap ROUNDS
// prints, for each round over the whole file, the nanoseconds of CPU, then the flows, packets and bytes that it counted.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BATCH_ROWS = 256, TCP = 6, UDP = 17, FIRST_SWAPPED = 1 << 31 };

typedef struct {
  uint32_t key[8], hash, flags, countedBytes, seconds, nanoseconds;
  uint32_t offset, capturedBytes, strippedTag;
} Row;

typedef struct {
  uint32_t key[8];
  uint32_t packets[2];
  double bytes[2];
  uint32_t lastSeconds, lastNanoseconds;
} Record;

typedef struct {
  uint32_t hash, entry;
} Slot;

static Row rows[BATCH_ROWS];
static Record *records;
static Slot *slots;
static uint32_t size, capacity, mask;
static uint32_t factors[8] = {0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1, 0x2c1b3c6d, 0x297a2d39, 0x1b873593};

static inline uint32_t be32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return __builtin_bswap32(value);
}

static inline uint32_t le32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return value;
}

static inline uint32_t finish(uint32_t sum) {
  uint32_t hash = (sum ^ (sum >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}

static const uint8_t *fill(const uint8_t *at, const uint8_t *end, uint32_t *count) {
  uint32_t row = 0;
  while (row < BATCH_ROWS && at + 16 <= end) {
    Row *out = &rows[row];
    uint32_t captured = le32(at + 8);
    const uint8_t *ether = at + 16;
    if (captured > (size_t)(end - ether)) break;
    out->seconds = le32(at);
    out->nanoseconds = le32(at + 4) * 1000;
    out->countedBytes = le32(at + 12);
    out->offset = ether - end;
    out->capturedBytes = captured;
    out->strippedTag = -1;
    at = ether + captured;
    if (captured < 46) continue;
    const uint8_t *ip = ether + 14;
    uint32_t type = be32(ether + 12);
    if (type >> 16 == 0x8100) {
      type = be32(ether + 16);
      ip = ether + 18;
    }
    if (type >> 8 != 0x080045) continue;
    uint32_t word = be32(ip + 6), protocol = word & 0xff, ports = be32(ip + 20);
    int isTcp = protocol == TCP;
    if ((word & 0x3fff0000) != 0 || (!isTcp && protocol != UDP)) continue;
    uint32_t source = be32(ip + 12), destination = be32(ip + 16);
    uint32_t macs0 = be32(ether), macs1 = be32(ether + 4), macs2 = be32(ether + 8);
    uint32_t sourceMac = macs1 << 16 | macs2 >> 16, sourceLow = macs2 & 0xffff, destinationLow = macs1 >> 16;
    uint32_t ofDestination = macs0 == sourceMac ? (destinationLow != sourceLow ? destinationLow : destination) : macs0;
    uint32_t ofSource = macs0 == sourceMac ? (destinationLow != sourceLow ? sourceLow : source) : sourceMac;
    uint32_t swap = ofDestination < ofSource ? -1u : 0;
    uint32_t macs = (sourceMac ^ macs0) & swap, lows = (sourceLow ^ destinationLow) & swap, addresses = (source ^ destination) & swap;
    out->key[0] = sourceMac ^ macs;
    out->key[1] = (sourceLow ^ lows) << 16 | (destinationLow ^ lows);
    out->key[2] = macs0 ^ macs;
    out->key[3] = source ^ addresses;
    out->key[4] = destination ^ addresses;
    out->key[5] = ports ^ ((ports ^ (ports << 16 | ports >> 16)) & swap);
    out->key[6] = 0x30 | (isTcp ? 4 : 5);
    out->key[7] = 0;
    uint32_t sum = 0;
    for (int i = 0; i < 7; i++) sum += out->key[i] * factors[i];
    out->hash = finish(sum);
    out->flags = (swap & FIRST_SWAPPED) | (isTcp ? ip[33] : 0) | (word >> 8 & 0xff) << 8;
    row++;
  }
  *count = row;
  return at;
}

static void enter(uint32_t hash, uint32_t entry) {
  uint32_t slot = hash & mask;
  while (slots[slot].entry) slot = (slot + 1) & mask;
  slots[slot] = (Slot){hash, entry};
}

static uint32_t insert(const Row *row) {
  if (size == capacity) {
    capacity *= 2;
    Record *grown = aligned_alloc(64, capacity * sizeof(Record));
    memcpy(grown, records, size * sizeof(Record));
    free(records);
    records = grown;
    free(slots);
    mask = capacity * 2 - 1;
    slots = calloc(mask + 1, sizeof(Slot));
    for (uint32_t id = 0; id < size; id++) {
      uint32_t sum = 0;
      for (int i = 0; i < 7; i++) sum += (i == 6 ? records[id].key[i] & 0x0ffff07f : records[id].key[i]) * factors[i];
      enter(finish(sum), id + 1);
    }
  }
  Record *record = &records[size];
  memset(record, 0, sizeof *record);
  memcpy(record->key, row->key, sizeof row->key);
  record->key[6] |= row->flags & FIRST_SWAPPED;
  enter(row->hash, ++size);
  return size - 1;
}

static void apply(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) __builtin_prefetch(&slots[rows[i].hash & mask]);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t entry = slots[rows[i].hash & mask].entry;
    if (entry) __builtin_prefetch(&records[entry - 1]);
  }
  for (uint32_t i = 0; i < count; i++) {
    const Row *row = &rows[i];
    Record *record = NULL;
    for (uint32_t slot = row->hash & mask; slots[slot].entry; slot = (slot + 1) & mask) {
      if (slots[slot].hash != row->hash) continue;
      Record *found = &records[slots[slot].entry - 1];
      if (memcmp(found->key, row->key, 24) == 0 && (found->key[6] & 0x0ffff07f) == row->key[6] && found->key[7] == row->key[7]) {
        record = found;
        break;
      }
    }
    if (!record) {
      uint32_t id = insert(row);
      record = &records[id];
    }
    uint32_t side = (record->key[6] ^ row->flags) >> 31;
    record->packets[side]++;
    record->bytes[side] += row->countedBytes;
    record->lastSeconds = row->seconds;
    record->lastNanoseconds = row->nanoseconds;
  }
}

static uint64_t cpuNs(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1000000000ull + now.tv_nsec;
}

int main(int argc, char **argv) {
  int fd = open(argv[1], O_RDONLY);
  struct stat status;
  fstat(fd, &status);
  const uint8_t *file = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  for (int round = atoi(argv[2]); round > 0; round--) {
    size = 0;
    capacity = 1024;
    mask = capacity * 2 - 1;
    records = aligned_alloc(64, capacity * sizeof(Record));
    slots = calloc(mask + 1, sizeof(Slot));
    uint64_t begin = cpuNs();
    const uint8_t *at = file + 24;
    for (;;) {
      uint32_t count;
      at = fill(at, file + status.st_size, &count);
      if (!count) break;
      apply(count);
    }
    uint64_t ns = cpuNs() - begin, packets = 0;
    double bytes = 0;
    for (uint32_t id = 0; id < size; id++) {
      packets += (uint64_t)records[id].packets[0] + records[id].packets[1];
      bytes += records[id].bytes[0] + records[id].bytes[1];
    }
    printf("%llu %u %llu %.0f\n", (unsigned long long)ns, size, (unsigned long long)packets, bytes);
    free(records);
    free(slots);
  }
}

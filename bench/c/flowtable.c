/*
 * The measure for finwait: a plain libpcap loop with per-flow state in an open-addressing hash table.
 *
 * usage: flowtable [-f] FILE        -f counts TCP flags only, without the table
 *
 * Ethernet (VLAN tags skipped) and IPv4, as a straightforward C program would do it: one 4-tuple per
 * flow, and per direction the next sequence number, the highest ack, packets, bytes, flags, FIN
 * tracking, retransmitted and zero-window segments. Prints totals.
 * build: cc -O2 -o flowtable flowtable.c -lpcap
 */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct side {
  uint64_t bytes;
  uint32_t packets;
  uint32_t next_seq;
  uint32_t max_ack;
  uint32_t fin_seq;
  uint32_t retransmitted;
  uint16_t zero_windows;
  uint8_t flags;
  uint8_t is_fin_acked;
};

struct flow {
  uint32_t addr[2];
  uint16_t port[2];
  uint32_t isn;
  struct side side[2];
  uint64_t first_us, last_us;
};

static uint32_t *slots; /* number of a flow + 1; 0 is free */
static uint32_t slot_count = 1u << 16;
static struct flow *flows;
static uint32_t flow_count, flow_room = 1u << 15;

static struct {
  uint64_t frames, others, tcp, syn, fin, rst, bytes, retransmitted, zero_windows;
  uint64_t connections, closed, reset, half_closed, open;
} total;

static void *must(void *p) {
  if (!p) {
    fputs("flowtable: out of memory\n", stderr);
    exit(1);
  }
  return p;
}

static inline uint16_t be16(const u_char *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline uint32_t be32(const u_char *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return __builtin_bswap32(v);
}

static inline uint32_t hash(uint32_t a, uint32_t b, uint16_t p, uint16_t q) {
  uint64_t h = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15ull;
  h ^= ((uint64_t)p << 16 | q) * 0xc2b2ae3d27d4eb4full;
  h ^= h >> 29;
  h *= 0xbf58476d1ce4e5b9ull;
  return (uint32_t)(h >> 32);
}

static void grow(void) {
  if (flow_count == flow_room) {
    flow_room *= 2;
    flows = must(realloc(flows, (size_t)flow_room * sizeof *flows));
  }
  if (flow_count * 2u < slot_count) return;
  free(slots);
  slot_count *= 2;
  slots = must(calloc(slot_count, sizeof *slots));
  for (uint32_t i = 0; i < flow_count; i++) {
    const struct flow *f = &flows[i];
    uint32_t at = hash(f->addr[0], f->addr[1], f->port[0], f->port[1]) & (slot_count - 1);
    while (slots[at]) at = (at + 1) & (slot_count - 1);
    slots[at] = i + 1;
  }
}

/* Counts how a connection ended. */
static void finish(const struct flow *f) {
  uint8_t flags = f->side[0].flags | f->side[1].flags;
  total.connections++;
  if (flags & RST) total.reset++;
  else if (f->side[0].flags & f->side[1].flags & FIN) total.closed++;
  else if (flags & FIN) total.half_closed++;
  else total.open++;
}

static struct flow *find(uint32_t a, uint32_t b, uint16_t p, uint16_t q) {
  uint32_t at = hash(a, b, p, q) & (slot_count - 1);
  for (; slots[at]; at = (at + 1) & (slot_count - 1)) {
    struct flow *f = &flows[slots[at] - 1];
    if (f->addr[0] == a && f->addr[1] == b && f->port[0] == p && f->port[1] == q) return f;
  }
  struct flow *f = &flows[flow_count++];
  memset(f, 0, sizeof *f);
  f->addr[0] = a, f->addr[1] = b, f->port[0] = p, f->port[1] = q;
  slots[at] = flow_count;
  grow();
  return &flows[flow_count - 1];
}

static void segment(const struct pcap_pkthdr *h, const u_char *ip, const u_char *tcp, uint32_t len) {
  uint32_t src = be32(ip + 12), dst = be32(ip + 16);
  uint16_t sport = be16(tcp), dport = be16(tcp + 2);
  uint32_t seq = be32(tcp + 4), ack = be32(tcp + 8);
  uint8_t flags = tcp[13];
  uint64_t us = (uint64_t)h->ts.tv_sec * 1000000u + (uint64_t)h->ts.tv_usec;
  int dir = src > dst || (src == dst && sport > dport);
  struct flow *f = dir ? find(dst, src, dport, sport) : find(src, dst, sport, dport);

  if ((flags & (SYN | ACK)) == SYN && (f->side[0].packets || f->side[1].packets) && f->isn != seq) {
    finish(f); /* the 4-tuple is used again */
    memset(f->side, 0, sizeof f->side);
  }
  struct side *me = &f->side[dir], *peer = &f->side[!dir];
  if (!me->packets && !peer->packets) f->first_us = us, f->isn = seq;
  f->last_us = us;

  uint32_t end = seq + len + ((flags & SYN) != 0) + ((flags & FIN) != 0);
  if (!me->packets || (int32_t)(end - me->next_seq) > 0) {
    me->next_seq = end;
  } else if (end != seq) {
    me->retransmitted++;
    total.retransmitted++;
  }
  if (flags & ACK) {
    if (!(me->flags & ACK) || (int32_t)(ack - me->max_ack) > 0) me->max_ack = ack;
    if ((peer->flags & FIN) && (int32_t)(ack - peer->fin_seq) > 0) peer->is_fin_acked = 1;
  }
  if (flags & FIN) me->fin_seq = seq + len;
  if (!be16(tcp + 14) && !(flags & RST)) {
    me->zero_windows++;
    total.zero_windows++;
  }
  me->packets++;
  me->bytes += len;
  me->flags |= flags;
}

int main(int argc, char **argv) {
  int flags_only = argc == 3 && !strcmp(argv[1], "-f");
  if (argc != 2 + flags_only) {
    fputs("usage: flowtable [-f] FILE\n", stderr);
    return 2;
  }
  char err[PCAP_ERRBUF_SIZE];
  pcap_t *p = pcap_open_offline(argv[argc - 1], err);
  if (!p || pcap_datalink(p) != DLT_EN10MB) {
    fprintf(stderr, "flowtable: %s\n", p ? "not Ethernet" : err);
    return 2;
  }
  slots = must(calloc(slot_count, sizeof *slots));
  flows = must(malloc((size_t)flow_room * sizeof *flows));

  struct pcap_pkthdr *h;
  const u_char *d;
  int r;
  while ((r = pcap_next_ex(p, &h, &d)) == 1) {
    total.frames++;
    uint32_t left = h->caplen, at = 14;
    if (left < 14) {
      total.others++;
      continue;
    }
    uint16_t type = be16(d + 12);
    while ((type == 0x8100 || type == 0x88a8) && left >= at + 4) {
      type = be16(d + at + 2);
      at += 4;
    }
    if (type != 0x0800 || left < at + 20) {
      total.others++;
      continue;
    }
    const u_char *ip = d + at;
    uint32_t ip_len = (ip[0] & 15u) * 4, ip_total = be16(ip + 2);
    if (ip[9] != 6 || ip_len < 20 || left < at + ip_len + 20 || (be16(ip + 6) & 0x1fff)) {
      total.others++;
      continue;
    }
    const u_char *tcp = ip + ip_len;
    uint32_t tcp_len = (tcp[12] >> 4) * 4u;
    if (tcp_len < 20 || ip_total < ip_len + tcp_len) {
      total.others++;
      continue;
    }
    uint32_t len = ip_total - ip_len - tcp_len;
    total.tcp++;
    total.bytes += len;
    total.syn += (tcp[13] & SYN) != 0;
    total.fin += (tcp[13] & FIN) != 0;
    total.rst += (tcp[13] & RST) != 0;
    if (!flags_only) segment(h, ip, tcp, len);
  }
  if (r == PCAP_ERROR) fprintf(stderr, "flowtable: %s\n", pcap_geterr(p));
  for (uint32_t i = 0; i < flow_count; i++) finish(&flows[i]);
  printf("frames %llu tcp %llu others %llu syn %llu fin %llu rst %llu bytes %llu\n",
         (unsigned long long)total.frames, (unsigned long long)total.tcp,
         (unsigned long long)total.others, (unsigned long long)total.syn,
         (unsigned long long)total.fin, (unsigned long long)total.rst,
         (unsigned long long)total.bytes);
  if (!flags_only)
    printf("connections %llu closed %llu reset %llu half-closed %llu open %llu retransmitted %llu "
           "zero-windows %llu flows %u\n",
           (unsigned long long)total.connections, (unsigned long long)total.closed,
           (unsigned long long)total.reset, (unsigned long long)total.half_closed,
           (unsigned long long)total.open, (unsigned long long)total.retransmitted,
           (unsigned long long)total.zero_windows, flow_count);
  pcap_close(p);
  return r == PCAP_ERROR;
}

// Three hosts without names, and a wire between two of them that delays, loses and limits what it carries.
//
//   wire SEED
//
// The hosts are network namespaces that this process holds open as file descriptors, so all of it is gone with the process,
// however it ends. The wire is a TAP device in the relay's and in the client's host; frames go from one to the other in here,
// each direction with its own queue and its own random numbers: the same seed loses the same packets again.
//
// Prints "ready RELAY_FD CLIENT_FD USER_FD" and then answers each line of its input with one line. Ends with its input.
//   delay MILLISECONDS   loss PERCENT   rate MBIT_PER_SECOND (0: no limit)   queue MILLISECONDS (what a limited rate may
//   keep waiting)   udp pass|drop   stats
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FRAME = 1536, MAX_WAITING = 1 << 15, BURST = 128 };
static const uint64_t ms = 1000000, never = UINT64_MAX;

struct frame {
  uint64_t due;
  uint16_t length;
  unsigned char bytes[MAX_FRAME];
};

struct direction {
  int from, to;
  uint64_t random;
  uint64_t busy_until; // when the limited rate has sent all that was taken
  uint32_t first, count;
  struct frame *waiting; // a ring; pages that are never used cost nothing
  uint64_t carried, carried_bytes, lost, blackholed, overflowed;
};

static struct {
  uint64_t delay, queue;
  double loss, bytes_per_ns;
  int drops_udp;
} settings = { .queue = 100000000 };

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 * ms + (uint64_t)t.tv_nsec;
}

// splitmix64: https://prng.di.unimi.it/splitmix64.c
static double random_unit(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return (double)((z ^ (z >> 31)) >> 11) / (double)(1ull << 53);
}

static int new_host(void) {
  if (unshare(CLONE_NEWNET) < 0) fail("A network namespace can't be made");
  int fd = open("/proc/self/ns/net", O_RDONLY);
  if (fd < 0) fail("/proc/self/ns/net");
  return fd;
}

// In the host that was made last. Without TUNSETOFFLOAD the kernel cuts segments and sums them up before we see them.
static int new_tap(void) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (fd < 0) fail("/dev/net/tun");
  struct ifreq request = { .ifr_name = "wan0", .ifr_flags = IFF_TAP | IFF_NO_PI };
  if (ioctl(fd, TUNSETIFF, &request) < 0) fail("A TAP device can't be made");
  return fd;
}

static void take(struct direction *d, const unsigned char *bytes, uint16_t length) {
  // Only IPv4 is lost, and draws a random number: ARP and what IPv6 says by itself come at any time.
  int is_ip = length >= 34 && bytes[12] == 8 && bytes[13] == 0;
  if (is_ip && settings.drops_udp && bytes[23] == 17) { d->blackholed++; return; }
  if (is_ip && settings.loss > 0 && random_unit(&d->random) < settings.loss) { d->lost++; return; }
  uint64_t leaves = now();
  if (settings.bytes_per_ns > 0) {
    uint64_t starts = d->busy_until > leaves ? d->busy_until : leaves;
    if (starts - leaves > settings.queue) { d->overflowed++; return; }
    leaves = d->busy_until = starts + (uint64_t)(length / settings.bytes_per_ns);
  }
  if (d->count == MAX_WAITING) { d->overflowed++; return; }
  struct frame *f = &d->waiting[(d->first + d->count++) % MAX_WAITING];
  f->due = leaves + settings.delay;
  f->length = length;
  memcpy(f->bytes, bytes, length);
}

static void receive(struct direction *d) {
  unsigned char bytes[MAX_FRAME];
  for (int i = 0; i < BURST; i++) {
    ssize_t length = read(d->from, bytes, sizeof bytes);
    if (length <= 0) return; // nothing more, or the cable is out
    take(d, bytes, (uint16_t)length);
  }
}

// Lets go what is due and says when the next frame will be.
static uint64_t deliver(struct direction *d) {
  for (uint64_t t = now(); d->count > 0; d->first = (d->first + 1) % MAX_WAITING, d->count--) {
    struct frame *f = &d->waiting[d->first];
    if (f->due > t) return f->due;
    // A host whose cable is out takes nothing; what was under way is lost.
    if (write(d->to, f->bytes, f->length) < 0) { d->lost++; continue; }
    d->carried++;
    d->carried_bytes += f->length;
  }
  return never;
}

static void print_stats(const char *name, const struct direction *d, const char *after) {
  printf("\"%s\":{\"carried\":%lu,\"carriedBytes\":%lu,\"lost\":%lu,\"blackholed\":%lu,\"overflowed\":%lu}%s", name,
         d->carried, d->carried_bytes, d->lost, d->blackholed, d->overflowed, after);
}

static void obey(const char *order, const struct direction d[2]) {
  char word[16] = "";
  double value = 0;
  if (sscanf(order, "delay %lf", &value) == 1) settings.delay = (uint64_t)(value * ms);
  else if (sscanf(order, "loss %lf", &value) == 1) settings.loss = value / 100;
  else if (sscanf(order, "rate %lf", &value) == 1) settings.bytes_per_ns = value * 1e6 / 8 / 1e9;
  else if (sscanf(order, "queue %lf", &value) == 1) settings.queue = (uint64_t)(value * ms);
  else if (sscanf(order, "udp %15s", word) == 1) settings.drops_udp = strcmp(word, "drop") == 0;
  else if (strcmp(order, "stats") == 0) {
    printf("{");
    print_stats("toRelay", &d[0], ",");
    print_stats("toClient", &d[1], "}\n");
    return;
  } else {
    printf("What is: %s\n", order);
    return;
  }
  printf("ok\n");
}

// Whole lines of what has come in. Our orders are short, and one is answered before the next is sent.
static void read_orders(const struct direction d[2]) {
  static char buffer[1024];
  static size_t used;
  ssize_t length = read(STDIN_FILENO, buffer + used, sizeof buffer - 1 - used);
  if (length <= 0) exit(0);
  used += (size_t)length;
  buffer[used] = 0;
  for (char *end; (end = strchr(buffer, '\n')); used -= (size_t)(end + 1 - buffer), memmove(buffer, end + 1, used + 1)) {
    *end = 0;
    obey(buffer, d);
  }
  fflush(stdout);
}

int main(int count, char **arguments) {
  uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
  prctl(PR_SET_TIMERSLACK, 1);
  signal(SIGPIPE, SIG_IGN);
  int user = new_host();
  int relay = new_host(), relay_tap = new_tap();
  int client = new_host(), client_tap = new_tap();
  struct direction d[2] = { { .from = client_tap, .to = relay_tap, .random = seed },
                            { .from = relay_tap, .to = client_tap, .random = ~seed } };
  for (int i = 0; i < 2; i++)
    if (!(d[i].waiting = malloc(MAX_WAITING * sizeof(struct frame)))) fail("No memory");
  printf("ready %d %d %d\n", relay, client, user);
  fflush(stdout);
  for (;;) {
    uint64_t next = deliver(&d[0]), other = deliver(&d[1]), t = now();
    if (other < next) next = other;
    uint64_t pause = next > t ? next - t : 0;
    struct timespec timeout = { (time_t)(pause / (1000 * ms)), (long)(pause % (1000 * ms)) };
    struct pollfd polls[] = { { client_tap, POLLIN, 0 }, { relay_tap, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
    if (ppoll(polls, 3, next == never ? NULL : &timeout, NULL) < 0) continue;
    if (polls[0].revents & POLLIN) receive(&d[0]);
    if (polls[1].revents & POLLIN) receive(&d[1]);
    if (polls[2].revents) read_orders(d);
  }
}

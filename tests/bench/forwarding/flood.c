/* Sends Ethernet frames as fast as the kernel takes them, and says how much CPU time that took.
 *
 *   flood INTERFACE < requests
 *
 * A request is two numbers of 32 bits in the machine's order: of how many packets, and of how many
 * frames. Each frame follows, its length in 32 bits before it. The packets are the frames in their
 * order, again and again. The answer is a line with the CPU time in nanoseconds.
 *
 * On the far side of a veth the kernel goes on in the softirq of the sender (drivers/net/veth.c,
 * netif_rx): what a gateway there does with a packet is CPU time of this thread, unless the kernel
 * keeps separate accounts of interrupts (CONFIG_IRQ_TIME_ACCOUNTING).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64 };

static int packet_socket(const char *interface)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(interface) };
	int bypass = 1, fd;

	if (to.sll_ifindex == 0)
		err(1, "%s", interface);
	/* protocol 0: sends, and receives nothing */
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass))
		err(1, "a packet socket on %s", interface);
	return fd;
}

static void read_whole(void *into, size_t size)
{
	if (fread(into, 1, size, stdin) != size)
		errx(1, "a request that ends early");
}

static struct iovec *read_frames(uint32_t count)
{
	struct iovec *frames = calloc(count, sizeof *frames);
	uint32_t i, length;

	for (i = 0; i < count; i++) {
		read_whole(&length, sizeof length);
		frames[i].iov_len = length;
		frames[i].iov_base = malloc(length);
		if (!frames[i].iov_base)
			err(1, "memory for frames");
		read_whole(frames[i].iov_base, length);
	}
	return frames;
}

static int64_t cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void send_all(int fd, struct iovec *frames, uint32_t count, uint32_t packets)
{
	struct mmsghdr batch[BATCH] = { 0 };
	uint32_t sent = 0, i;

	while (sent < packets) {
		uint32_t some = packets - sent < BATCH ? packets - sent : BATCH;
		int done;

		for (i = 0; i < some; i++) {
			batch[i].msg_hdr.msg_iov = &frames[(sent + i) % count];
			batch[i].msg_hdr.msg_iovlen = 1;
		}
		done = sendmmsg(fd, batch, some, 0);
		if (done < 0 && errno != ENOBUFS && errno != EINTR)
			err(1, "sendmmsg");
		sent += done > 0 ? done : 0;
	}
}

int main(int argc, char **argv)
{
	uint32_t head[2], i;
	int fd;

	if (argc != 2)
		errx(2, "usage: flood INTERFACE");
	fd = packet_socket(argv[1]);
	while (fread(head, sizeof head, 1, stdin) == 1) {
		struct iovec *frames = read_frames(head[1]);
		int64_t began = cpu_time();

		send_all(fd, frames, head[1], head[0]);
		printf("%lld\n", (long long)(cpu_time() - began));
		fflush(stdout);
		for (i = 0; i < head[1]; i++)
			free(frames[i].iov_base);
		free(frames);
	}
	return 0;
}

"""Many keep-alive connections that are all ready at the same moment: every one is answered promptly, at the counts
at which event loops are known to stall, too."""

import resource
import selectors
import time

import harness
from harness import check, equal, fault, motive_headers

ROUNDS = 10
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))


def rounds(daemon, count, number):
    clients = [daemon.client() for _ in range(count)]
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.sock, selectors.EVENT_READ, client)
    slowest = 0
    for _ in range(ROUNDS):
        requests = []
        for _ in clients:
            body = fault(number)
            requests.append(clients[0].request(body, headers=motive_headers(body)))
            number += 1
        began = time.monotonic()
        for client, request in zip(clients, requests):
            client.send(request)
        waiting = set(clients)
        while waiting:
            ready = selector.select(3 * harness.SLOWER)
            check(ready, "%d connections: %d of them are not answered after 3 s" % (count, len(waiting)))
            for key, _ in ready:
                equal(key.data.answer().status, 200, "status on one of %d connections" % count)
                waiting.discard(key.data)
        slowest = max(slowest, time.monotonic() - began)
    for client in clients:
        client.close()
    print("%d connections: slowest of %d rounds %.0f ms" % (count, ROUNDS, slowest * 1000))
    check(slowest < 2 * harness.SLOWER, "%d connections: a round took %.1f s" % (count, slowest))
    return number


def test_many(t):
    daemon = t.daemon()
    number = 0
    for count in (1, 64, 127, 128, 129, 255, 256, 257, 384, 512):
        number = rounds(daemon, count, number)
    daemon.wait_rows(number)


harness.main()

# bystander.py serve ADDRESS: behind a gateway, sends each datagram back and takes what TCP brings.
# bystander.py ask ADDRESS SECONDS: prints the microseconds of a UDP round trip and the MB/s of a TCP connection.
import socket, sys, threading, time

UDP, TCP = 9000, 9001


def echo():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((sys.argv[2], UDP))
    print("ready", flush=True)
    while True:
        one.sendto(*one.recvfrom(2000))


def take():
    listening = socket.create_server(("", TCP))
    while True:
        one = listening.accept()[0]
        while one.recv_into(buffer):
            pass
        one.close()


def timed(act, seconds):
    """The time that one of four was quicker than: what else the machine does meets the others."""
    times, end = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        act()
        times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 4]


def trips(address, seconds):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(5)
    one.connect((address, UDP))

    def slice():
        for _ in range(50):
            one.send(b"x" * 64)
            one.recv(100)

    return timed(slice, seconds) / 50 * 1e6


def throughput(address, seconds):
    one = socket.create_connection((address, TCP))

    def slice():
        for _ in range(64):
            one.sendall(buffer)

    return 64 * len(buffer) / timed(slice, seconds) / 1e6


buffer = bytearray(1 << 18)
if sys.argv[1] == "serve":
    threading.Thread(target=take, daemon=True).start()
    echo()
else:
    address, seconds = sys.argv[2], float(sys.argv[3])
    print(trips(address, seconds), throughput(address, seconds))

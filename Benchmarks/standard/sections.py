"""What is measured: a section is one load, put on several servers in turn."""

from dataclasses import dataclass, field

ALL = ["reactor", "C floor", "Node ws", "Python websockets"]


@dataclass
class Column:
    """A figure of a load's report, and how a table shows it."""

    key: str
    title: str
    form: str = "{:,.0f}"
    scale: float = 1
    # Whether the table has the ratio to the baseline, too.
    is_ratio: bool = False


@dataclass
class Section:
    name: str
    title: str
    note: str
    # Of wattloop-bench.
    arguments: list
    columns: list
    # Of servers that run meanwhile; none: wattloop-bench starts a Wattloop server for each round.
    servers: list = field(default_factory=list)
    baseline: str = "C floor"
    # Of Floor/store, where the floor is no server.
    store: list = field(default_factory=list)


def latency(key, title):
    return [
        Column(f"{key}_p50_us", f"{title} p50, ms", "{:.3f}", 1000),
        Column(f"{key}_p99_us", f"{title} p99, ms", "{:.2f}", 1000),
    ]


def share():
    return Column("client_share", "client's share of a core", "{:.2f}")


def rate(what):
    return Column(f"{what}_per_second", f"{what}/s", is_ratio=True)


def cpu(what):
    return Column(f"server_cpu_us_per_{what}", f"server CPU µs a {what}", "{:.2f}", is_ratio=True)


def sections(seconds, clients):
    echo = ["--protocol", "echo", "--bytes", "64", "--seconds", str(seconds)]
    chat = ["--seconds", str(seconds)]
    return [
        Section(
            "echo", "WebSocket echo, one message under way",
            "200 connections, 64 bytes. Nearly all of the time is the kernel's: everyone good is equal here.",
            ["throughput", *echo], [rate("messages"), cpu("message"), *latency("round_trip", "round trip"), share()], ALL),
        Section(
            "echo-16", "WebSocket echo, 16 messages under way on each connection",
            "What a read brings is answered by one write. The floor is a C loop that does the same.",
            ["throughput", "--depth", "16", *echo], [rate("messages"), cpu("message"), share()], ALL),
        Section(
            "echo-rate", "WebSocket echo on a schedule, 20,000 messages a second",
            "1,000 connections; latency counts from the time at which a message should have been sent.",
            ["latency", "--connections", "1000", "--rate", "20000", *echo],
            [Column("messages_per_second", "messages/s"), *latency("round_trip", "round trip"), cpu("message")], ALL),
        Section(
            "rooms", "Rooms of 100, 8 messages under way in each",
            "Ten rooms, each message to all members. The floor sends each delivery by itself.",
            ["fanout", "--depth", "8", *echo], [rate("deliveries"), cpu("delivery"), share()],
            ["reactor", "C floor", "Node ws"]),
        Section(
            "http", "HTTP, 13 bytes on kept connections",
            "32 connections with one request under way. Wattloop's `/livez` beside them is in the section on REST.",
            ["throughput", "--protocol", "http", "--connections", "32", "--path", "/plaintext", *chat],
            [Column("messages_per_second", "requests/s", is_ratio=True),
             Column("server_cpu_us_per_message", "server CPU µs a request", "{:.2f}", is_ratio=True),
             *latency("request", "answer"), share()],
            ["reactor", "nginx", "Node ws"], baseline="nginx"),
        Section(
            "memory", "Idle WebSockets",
            "The slope from 1,000 to 18,000 connections: what one costs the server's process, and the kernel at one end.",
            ["connections", "--protocol", "echo", "--hold", "1"],
            [Column("bytes_per_connection", "bytes of the process", "{:,.0f}"),
             Column("kernel_bytes_per_connection", "bytes of the kernel", "{:,.0f}"),
             Column("accepts_per_second", "opened/s", is_ratio=True),
             Column("server_cpu_us_per_accept", "server CPU µs to open one", "{:.0f}")],
            ALL),
        *[Section(
            name, f"Idle WebSockets of Wattloop, each a user with a token{members}", note,
            ["connections", *room, "--settle", "10", "--hold", "1"],
            [Column("bytes_per_connection", "bytes of the process", "{:,.0f}"),
             Column("kernel_bytes_per_connection", "bytes of the kernel", "{:,.0f}"),
             Column("accepts_per_second", "opened/s"), Column("server_cpu_us_per_accept", "server CPU µs to open one")])
          for name, members, room, note in (
              ("users", "", [], "As above, ten seconds after the last has come: until then others are told of those who came."),
              ("members", ", and a member of a group of 100", ["--room", "100"],
               "As above; whoever comes is told to 99 others."))],
        Section(
            "chat", "Stored chat, closed loop, 200 users with one message under way",
            "Pairs; every message is on disk (`synchronous=FULL`) before it is acknowledged. The floor is a C loop that stores "
            "the same rows with the same keys, all that are under way in one transaction: no network, nobody is told.",
            ["throughput", *chat], [rate("messages"), cpu("message"), *latency("ack", "ack"), share()],
            store=["messages", 100, 200]),
        Section(
            "chat-full", "Stored chat, closed loop, 1,000 users with four under way", "As above.",
            ["throughput", "--connections", "1000", "--depth", "4", *chat],
            [rate("messages"), cpu("message"), *latency("ack", "ack"), share()], store=["messages", 500, 4000]),
        Section(
            "chat-rate", "Stored chat on a schedule, 5,000 messages a second",
            "1,000 users in pairs; latency counts from the time at which a message should have been sent.",
            ["latency", "--connections", "1000", "--rate", "5000", *chat],
            [Column("messages_per_second", "messages/s"), *latency("ack", "ack"), *latency("delivery", "delivery")]),
        *[Section(
            f"rooms-{size}", f"Stored messages in rooms of {size:,}", f"{rooms} room{'s' * (rooms > 1)}, 4 under way in each.",
            ["fanout", "--room", str(size), "--rooms", str(rooms), "--depth", "4", *chat],
            [Column("deliveries_per_second", "deliveries/s"),
             Column("server_cpu_us_per_delivery", "server CPU µs a delivery", "{:.2f}"), *latency("delivery", "delivery"),
             share()])
          for size, rooms in ((100, 10), (1000, 1))],
        Section(
            "reconnect", f"{clients:,} clients cut at once, and back with `resume`",
            "In rooms of 100 that had 10 messages meanwhile; 100 others chat on, 500 messages a second.",
            ["reconnect", "--clients", str(clients), "--seconds", str(seconds)],
            [Column("live_p50_us", "half of them live after s", "{:.2f}", 1e6),
             Column("live_max_us", "all live after s", "{:.2f}", 1e6), Column("missing", "missing"), Column("doubles", "doubles"),
             Column("healthy_before_ack_p99_us", "the others' ack p99 before, ms", "{:.1f}", 1000),
             Column("healthy_during_ack_p99_us", "and meanwhile, ms", "{:.1f}", 1000),
             Column("peak_bytes", "server's memory at most, MiB", "{:.0f}", 1048576)]),
        Section(
            "rest", "REST: `GET /api/v1/users/me` against `/livez`", "32 connections with one request under way.",
            ["rest", "--path", "/livez", "--path", "/api/v1/users/me", "--rounds", "1", *chat],
            [Column("requests_per_second", "requests/s"), Column("ratio", "rate to /livez", "{:.2f}"),
             Column("server_cpu_us_per_request", "server CPU µs a request", "{:.2f}"), *latency("request", "answer")]),
        *[Section(
            f"ingest-{shape}", f"Readings: `POST /api/v1/measurements`, {title}",
            "100 readings a request, four requests under way; buckets and alerts are kept in the same transaction. The floor is a "
            "C loop that stores the readings alone.",
            ["ingest", "--shape", shape, *chat], [rate("readings"), cpu("reading"), *latency("request", "answer")],
            store=["readings", 100, *store])
          for shape, title, store in (
              ("spread", "one of each of 100 devices", [400]), ("one", "a hundred of one device", [100, "each"]))],
        Section(
            "consumption", "Consumption of a device with 600,000 readings against one with 1,000",
            "A month of hours and a year of days, asked for in turn.", ["consumption", "--readings", "600000"],
            [*latency("request", "answer"), Column("readings_per_second", "readings/s")]),
    ]

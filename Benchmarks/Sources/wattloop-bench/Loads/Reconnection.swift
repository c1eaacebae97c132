import Reactor

/// The steps of a reconnect: rooms are made, everybody connects, all clients are cut, and all come back.
final class Reconnection {
  private let site: Site
  private let loop: EventLoop
  private let clients: RoomClients
  private let senders: RoomSenders
  private let clientCount: Int
  private let senderCount: Int
  private let patience: Double
  private var memory: MemoryWatch?
  private var timeline: Timeline?
  private var quietBytes = 0
  private var opening = 0.0
  private var cutting: Stopwatch.Reading?
  private var comingBack: Stopwatch.Reading?

  init(
    _ site: Site, clients: [Account], senders: [Account], roomSize: Int, textBytes: Int,
    patience: Double
  ) throws {
    self.site = site
    self.patience = patience
    memory = MemoryWatch(site)
    let members = stride(from: 0, to: clients.count, by: roomSize).map { first in
      [senders[first / roomSize % senders.count]] + clients[first..<min(first + roomSize, clients.count)]
    }
    let rooms = try Conversations.groups(members, title: "Reconnect", at: site)
    loop = try EventLoop()
    clientCount = clients.count
    senderCount = senders.count
    self.clients = try RoomClients(
      .chat(site, clients, network: 1), loop: loop, roomSize: roomSize, rooms: rooms)
    self.senders = try RoomSenders(.chat(site, senders), loop: loop, rooms: rooms, textBytes: textBytes)
  }

  // MARK: Steps

  /// Opens all connections, and waits until nothing more comes.
  func open(_ timeline: Timeline) throws {
    self.timeline = timeline
    clients.timeline = timeline
    try senders.open(senderCount)
    let stopwatch = try Stopwatch(site)
    try clients.open(clientCount)
    opening = try stopwatch.read().elapsed
    try wait(for: "silence after all had connected") { Clock.now > clients.lastEvent + 1_000_000_000 }
    quietBytes = try site.serverPid.map { try ServerProcess(pid: $0).anonymousBytes() } ?? 0
  }

  func run(_ seconds: Double) throws {
    let end = Clock.after(seconds)
    try wait(for: "the time") { Clock.now >= end }
  }

  /// Cuts the clients, and sends what they miss.
  func cut(missed: Int) throws {
    let stopwatch = try Stopwatch(site)
    clients.cut()
    try wait(for: "the end of all connections") { clients.closedCount == clientCount }
    senders.sendInAll(missed, atOnce: 500)
    try wait(for: "the messages to be missed") { senders.isComplete }
    cutting = try stopwatch.read()
  }

  /// Lets all clients connect and resume while messages go on.
  func comeBack(window: Int, liveRate: Double) throws {
    let stopwatch = try Stopwatch(site)
    var isBack = false
    let pace = try Pace(perSecond: max(liveRate, 0.001), until: .max) { [senders] _ in
      if !isBack, liveRate > 0 { senders.sendNext() }
    }
    clients.comeBack(missedUpTo: senders.lastSeqs)
    try pace.start(on: loop)
    let end = Clock.after(patience)
    try wait(for: "the clients") {
      try clients.connectMore(window: window)
      return clients.isLive || clients.counts.resyncs > 0 || Clock.now > end
    }
    isBack = true
    comingBack = try stopwatch.read()
  }

  /// Waits for what is still on its way.
  func settle() throws {
    let end = Clock.after(10)
    try wait(for: "the last messages") {
      senders.isComplete && clients.missing(upTo: senders.lastSeqs) == 0 || Clock.now > end
    }
    // A double may still come.
    try run(1)
  }

  /// Runs the loop until the condition is met.
  func wait(for what: String, _ isMet: () throws -> Bool) throws {
    let deadline = Clock.after(patience + 20)
    while try !isMet() {
      loop.tick(limit: 2)
      try memory?.look()
      timeline?.look(at: clients)
      if Clock.now > deadline {
        throw Failure("waited \(patience + 20) s for \(what)")
      }
    }
  }

  // MARK: Results

  func add(to report: inout Report) {
    report.add("open_s", opening, digits: 2)
    report.add("greeted_p99_us", clients.untilGreeted.percentile(99))
    report.add("live", clients.untilLive)
    report.add("live_clients", clients.liveCount)
    report.add("replayed", clients.counts.replayed)
    report.add("presence", clients.counts.unplaced)
    if let cutting { report.add("cut_s", cutting.elapsed, digits: 2) }
    if let comingBack {
      report.add("back_s", comingBack.elapsed, digits: 2)
      if let cpu = comingBack.server { report.add("server_cpu_s", cpu / 1e6, digits: 2) }
      report.add("client_share", comingBack.clientShare, digits: 2)
    }
    if let memory {
      report.add("quiet_bytes", quietBytes)
      report.add("peak_bytes", memory.peak)
    }
    report.add("missing", clients.missing(upTo: senders.lastSeqs))
    report.add("doubles", clients.counts.doubles)
    report.add("disorder", clients.counts.disorder)
    report.add("rewound", clients.counts.rewound)
    report.add("resyncs", clients.counts.resyncs)
    report.add("lost", clients.counts.lost)
    report.add("errors", clients.counts.errors + senders.errors)
    addFailures(to: &report)
  }

  private func addFailures(to report: inout Report) {
    let counts = clients.counts
    if let error = clients.firstError ?? senders.firstError {
      report.require(false, "the server sent \(error)")
    }
    report.require(senders.closedCount == 0, "\(senders.closedCount) senders' connections were closed")
    report.require(counts.lost == 0, "\(counts.lost) connections were refused or lost")
    report.require(counts.resyncs == 0, "\(counts.resyncs) clients were told to resync")
    report.require(counts.doubles == 0 && counts.disorder == 0, "events came twice, or out of order")
    report.require(
      clients.isLive, "only \(clients.liveCount) of \(clientCount) clients were live in \(patience) s")
    report.require(clients.missing(upTo: senders.lastSeqs) == 0, "messages are missing")
    report.require(counts.errors == 0 && senders.errors == 0, "something came that is not understood")
  }
}

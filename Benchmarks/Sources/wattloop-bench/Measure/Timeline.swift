/// What a run looked like at a time.
struct Sample {
  /// Seconds since the beginning.
  let time: Double
  let connections: Int
  /// Connections a second that have come since the sample before.
  let opened: Double
  /// Operations a second since the sample before.
  let rate: Double
  /// Latencies since the sample before, in microseconds; nil if there were none.
  let p50: Double?
  let p99: Double?
  /// Since the beginning.
  let errors: Int
  /// The server's anonymous memory.
  let serverBytes: Int?
}

/// What can be watched.
protocol Watched: AnyObject {
  var connectionCount: Int { get }
  /// Operations since the beginning.
  var doneCount: Int { get }
  var errorCount: Int { get }
  /// Percentiles of the latencies since the last call, in microseconds.
  func takeRecentLatency() -> (p50: Double, p99: Double)?
}

/// Looks at a load every half second: for the one who waits, and for the report.
final class Timeline {
  private static let interval: UInt64 = 500_000_000

  private(set) var samples: [Sample] = []
  private let start = Clock.now
  private var last = Clock.now
  private var lastDone = 0
  private var lastConnections = 0
  private let server: ServerProcess?
  private var live: LiveLine

  init(_ site: Site) {
    server = site.serverPid.map(ServerProcess.init)
    live = LiveLine()
  }

  /// What comes now, for so many seconds or until so many connections are there; neither is known of all steps.
  func begin(_ step: String, seconds: Double? = nil, connections: Int? = nil) {
    live.begin(step, seconds: seconds, connections: connections)
  }

  /// Takes a sample if it is time for one: to be called often.
  @inline(__always)
  func look(at load: some Watched) {
    if Clock.now &- last >= Self.interval { take(load) }
  }

  private func take(_ load: some Watched) {
    let now = Clock.now
    let done = load.doneCount
    let latency = load.takeRecentLatency()
    let connections = load.connectionCount
    let perSecond = 1e9 / Double(now - last)
    let sample = Sample(
      time: Double(now - start) / 1e9, connections: connections,
      opened: Double(max(0, connections - lastConnections)) * perSecond,
      // Counts begin anew where warming up ends.
      rate: Double(max(0, done - lastDone)) * perSecond, p50: latency?.p50,
      p99: latency?.p99, errors: load.errorCount, serverBytes: try? server?.anonymousBytes())
    samples.append(sample)
    last = now
    lastDone = done
    lastConnections = connections
    live.show(sample)
  }

  /// Tells a pipe, too, how it goes: of a run that takes long.
  func speakInPipes() { live.speaksInPipes = true }

  func end() { live.end() }
}

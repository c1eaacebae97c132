import ArgumentParser
import Reactor

struct RestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rest", abstract: "GET on kept connections, path against path: rate, latency, ratio.",
    discussion: """
      Of any HTTP server. A closed loop on each path in turn, round by round, so that what else the machine does meets all of them.
      The ratio is that of a round's rates, to the first path's. Where the client is slower than the server, that of the
      server's time tells more: how much of it a request of the first path takes, for one of this path.
      """)

  @OptionGroup var options: RunOptions
  @Option(help: "A path; repeated, the first is what the others are compared with.") var path: [String]
  @Option(help: "Connections, each with one request under way.") var connections = 32
  @Option(help: "How long a path is measured in a round.") var seconds = 2.0
  @Option(help: "How long it runs before.") var warmup = 0.3
  @Option(help: "How often each path is measured.") var rounds = 5

  func validate() throws {
    guard connections > 0, seconds > 0, warmup >= 0, rounds > 0 else {
      throw ValidationError("numbers must be positive")
    }
  }

  /// What was found of one path.
  private final class Findings {
    let path: String
    let load: ClosedLoop
    var rates = Spread()
    var ratios = Spread()
    /// The server's microseconds a request.
    var times = Spread()
    var timeRatios = Spread()
    var latency = Latency()

    init(_ path: String, _ api: APIClient) {
      self.path = path
      let request = api.request(.get, path)
      load = ClosedLoop(api, next: { request })
    }
  }

  func run() throws { try Run.perform(options, measure) }

  private func measure(on run: Run) throws -> [Report] {
    let api = try APIClient(run.site, token: run.token(), connections: connections)
    let paths = path.map { Findings($0, api) }
    run.timeline.begin("measuring", seconds: Double(rounds * paths.count) * (seconds + warmup))
    for path in paths { path.load.timeline = run.timeline }
    for _ in 0..<rounds {
      let found = try paths.map { try measure($0, run.site) }
      for (path, round) in zip(paths, found) {
        path.rates.add(round.rate)
        path.ratios.add(round.rate / found[0].rate)
        guard let time = round.time, let first = found[0].time, time > 0 else { continue }
        path.times.add(time)
        path.timeRatios.add(first / time)
      }
    }
    return paths.map { report($0, hasTimes: run.site.serverPid != nil) }
  }

  /// One round: requests a second, and the server's microseconds a request.
  private func measure(_ path: Findings, _ site: Site) throws -> (rate: Double, time: Double?) {
    path.load.start(connections)
    try path.load.run(until: Clock.after(warmup))
    path.load.resetCounts()
    let stopwatch = try Stopwatch(site)
    try path.load.run(until: Clock.after(seconds))
    let time = try stopwatch.read()
    let answers = Double(path.load.answers)
    path.latency.add(path.load.latency)
    try path.load.stop()
    return (answers / time.elapsed, time.server.map { $0 / max(1, answers) })
  }

  private func report(_ path: Findings, hasTimes: Bool) -> Report {
    var report = Report("rest " + path.path)
    report.add("requests_per_second", path.rates, digits: 0)
    report.add("request", path.latency)
    report.add("ratio", path.ratios, digits: 3)
    if hasTimes {
      report.add("server_cpu_us_per_request", path.times, digits: 2)
      report.add("server_cpu_ratio", path.timeRatios, digits: 3)
    }
    report.add("errors", path.load.errorCount)
    return report
  }
}

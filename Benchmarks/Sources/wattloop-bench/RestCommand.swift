import ArgumentParser
import Reactor

struct RestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rest", abstract: "GET on kept connections, path against path: rate, latency, ratio.",
    discussion: """
      A closed loop on each path in turn, round by round, so that what else the machine does meets all of them.
      The ratio is that of a round's rates, to the first path's.
      """)

  @OptionGroup var common: CommonOptions
  @Option(help: "A path; repeated, the first is what the others are compared with.") var path: [String]
  @Option(help: "An access token, sent with every request.") var token: String?
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
    var requests = 0
    var serverTime = 0.0
    var latency = Latency()

    init(_ path: String, _ api: APIClient) {
      self.path = path
      let request = api.request(.get, path)
      load = ClosedLoop(api, next: { request })
    }
  }

  func run() throws {
    let api = try APIClient(common, token: token, connections: connections)
    let paths = path.map { Findings($0, api) }
    for _ in 0..<rounds {
      let rates = try paths.map(measure)
      for (path, rate) in zip(paths, rates) {
        path.rates.add(rate)
        path.ratios.add(rate / rates[0])
      }
    }
    for path in paths { report(path).print(json: common.json) }
  }

  /// One round; returns the rate.
  private func measure(_ path: Findings) throws -> Double {
    path.load.start(connections)
    try path.load.run(until: Clock.after(warmup))
    path.load.resetCounts()
    let stopwatch = try Stopwatch(common)
    try path.load.run(until: Clock.after(seconds))
    let time = try stopwatch.read()
    let answers = path.load.answers
    path.latency.add(path.load.latency)
    try path.load.stop()
    path.requests += answers
    path.serverTime += time.server ?? 0
    return Double(answers) / time.elapsed
  }

  private func report(_ path: Findings) -> Report {
    var report = Report("rest " + path.path)
    report.add("requests_per_second", path.rates, digits: 0)
    report.add("request", path.latency)
    report.add("ratio", path.ratios, digits: 3)
    if common.serverPid != nil {
      report.add("server_cpu_us_per_request", path.serverTime / Double(max(1, path.requests)), digits: 2)
    }
    return report
  }
}

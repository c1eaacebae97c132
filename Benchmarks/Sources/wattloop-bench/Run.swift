import ArgumentParser
import Foundation
import Reactor

/// One run of a command: its server, its users, who watches it, and what becomes of its reports.
final class Run {
  let site: Site
  let timeline: Timeline
  private let options: RunOptions
  private let program: WattloopProgram
  private let own: OwnServer?
  private let users: Users

  /// Runs a load, prints its reports and throws if something went wrong or a threshold was missed.
  /// - Parameter needsWattloop: whether a server can be started for it.
  static func perform(
    _ options: RunOptions, needsWattloop: Bool = true, _ body: (Run) throws -> [Report]
  ) throws {
    let run = try Run(options, needsWattloop: needsWattloop)
    defer {
      run.timeline.end()
      run.own?.end()
    }
    var reports = try body(run)
    run.timeline.begin("checking the store")
    try run.reconcile(&reports)
    run.timeline.end()
    try run.conclude(reports)
  }

  private init(_ options: RunOptions, needsWattloop: Bool) throws {
    self.options = options
    DescriptorLimit.raise()
    program = WattloopProgram(options.wattloop)
    if let port = options.port {
      own = nil
      site = Site(host: options.host, port: port, serverPid: options.serverPid)
      users =
        if let tokens = options.tokens {
          .file(tokens)
        } else if let data = options.data {
          .store(program, data: data)
        } else if let login = options.login {
          .api(AdministratorLogin(site: site, username: login))
        } else {
          .none
        }
    } else {
      guard needsWattloop else { throw ValidationError("--port is needed: of any server that speaks it") }
      let several = ProcessInfo.processInfo.activeProcessorCount > 1
      let server = try OwnServer(program: program.path, core: several ? options.cores.server : nil)
      own = server
      site = Site(host: "127.0.0.1", port: server.port, serverPid: server.pid)
      users = .store(program, data: server.data)
      if several, let core = options.cores.client {
        _ = try Shell.output(of: ["taskset", "-p", "-c", String(core), String(getpid())])
      }
    }
    timeline = Timeline(site)
  }

  func accounts(_ count: Int) throws -> [Account] {
    timeline.begin("making users")
    return try users.accounts(count)
  }

  /// The token that was named, or an administrator's; nil for a server without users.
  func token() throws -> String? { try options.token ?? users.adminToken() }

  func adminToken() throws -> String {
    guard let token = try token() else {
      throw Failure("an administrator is needed: name --token, --data or --login")
    }
    return token
  }

  /// With a server of its own a run adds up: what was acknowledged and delivered is what the server has counted, and the store is
  /// in order.
  private func reconcile(_ reports: inout [Report]) throws {
    guard let own, !reports.isEmpty else { return }
    let counts = try ServerCounts(at: site)
    let messages = reports.compactMap(\.messages)
    if messages.count == reports.count {
      reports[0].add("server_stored", counts.stored)
      reports[0].add("server_delivered", counts.delivered + counts.replayed)
      let acknowledged = messages.reduce(0) { $0 + $1.acknowledged }
      let delivered = messages.reduce(0) { $0 + $1.delivered }
      reports[0].require(
        acknowledged == counts.stored && delivered == counts.delivered + counts.replayed,
        "the server counts \(counts.stored) messages stored, \(counts.delivered) and \(counts.replayed) delivered, the clients "
          + "\(acknowledged) and \(delivered)")
    }
    own.stop()
    do { try program.check(own.data) } catch { reports[0].require(false, "\(error)") }
  }

  private func conclude(_ reports: [Report]) throws {
    for report in reports { report.print(json: options.json) }
    let verdicts = try Verdicts(options.slo, reports)
    if let html = options.html {
      try HTMLReport(
        title: "wattloop-bench " + reports.map(\.name).joined(separator: ", "), reports: reports,
        samples: timeline.samples, verdicts: verdicts
      ).write(to: html)
    }
    verdicts.show()
    if let failure = reports.flatMap(\.failures).first { throw Failure(failure) }
    if !verdicts.areMet { throw Failure("a threshold was missed") }
  }
}

import App
import ArgumentParser
import Foundation

/// `wattloop simulate`
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Play smart meters against a running server.",
    usage: """
      wattloop simulate --username NAME --devices N --rate R [--seconds S]
      wattloop simulate --username NAME --csv FILE [--rate R]
      """,
    discussion: """
      The password is WATTLOOP_PASSWORD or the first line of standard input. Without --username, WATTLOOP_TOKEN is an
      access token. With --devices, an administrator's devices sim-1, sim-2, … are made once and then used again. A file
      is sent in its order, one request at a time. What is not answered is sent again, and is stored once.
      Exit codes: 0 if everything is stored, 1 if a reading was rejected or not sent, 64 for a wrong option, 69 if the
      server cannot be reached.
      """)

  @Option(help: "The server; http only.") var url = "http://127.0.0.1:8080"
  @Option(help: "Who sends.") var username: String?
  @Option(help: "So many devices, 1 to 100000.") var devices: Int?
  @Option(help: "Readings from a file, with the columns of POST /measurements.") var csv: String?
  @Option(help: "Readings a second over all devices.") var rate: Double?
  @Option(help: "For so long; without it, until Ctrl-C.") var seconds: Int?
  @Option(help: "Readings a request, at most.") var batch = 100
  @Option(help: "Connections, at most.") var connections = 4
  @Flag(help: "No progress line.") var quiet = false

  func run() throws {
    let plan = try SimulationPlan(
      server: ServerAddress(url), credentials: credentials(), meters: meters(), rate: rate, seconds: seconds,
      batch: batch, connections: connections)
    let report = try play(plan)
    print(report.text)
    if let failure = report.failure { throw failure }
  }

  private func play(_ plan: SimulationPlan) throws -> SimulationReport {
    guard !quiet, Terminal.isInteractive else { return try Simulation.run(plan) }
    defer { Terminal.endStatus() }
    return try Simulation.run(plan, progress: Terminal.status)
  }

  private func meters() throws -> SimulationPlan.Meters {
    switch (devices, csv) {
    case (let count?, nil): .devices(count)
    case (nil, let path?): .file(path)
    default: throw ValidationError("either --devices or --csv is needed")
    }
  }

  private func credentials() throws -> SimulationPlan.Credentials {
    let environment = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
    guard let username else {
      if let token = environment["WATTLOOP_TOKEN"] { return .token(token) }
      throw ValidationError("--username or the variable WATTLOOP_TOKEN is needed")
    }
    guard let password = environment["WATTLOOP_PASSWORD"] ?? Terminal.inputLine() else {
      throw ValidationError("the password is WATTLOOP_PASSWORD, or the first line of standard input")
    }
    return .password(username: username, password: password)
  }
}

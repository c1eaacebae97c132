import App
import ArgumentParser

/// `wattloop check`, also beside a running server.
struct CheckCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Verify the store: sequences, markers, buckets, resets, alerts.",
    discussion: "Prints a line for each fault, then a summary. The exit code is 1 if there is any.")

  func run(_ configuration: Configuration) throws {
    let store = try Store(directory: configuration.data, for: .inspection)
    let report = try StoreCheck(store: store).run()
    try store.close()
    for fault in report.faults { print(fault) }
    let seen = "\(report.messages) messages, \(report.readings) readings, \(report.buckets) buckets"
    guard report.faultCount > 0 else { return print("ok: \(seen)") }
    let unnamed = report.faultCount - report.faults.count
    if unnamed > 0 { print("and \(unnamed) more") }
    throw ExitFailure.faults("\(report.faultCount) faults in \(seen)")
  }
}

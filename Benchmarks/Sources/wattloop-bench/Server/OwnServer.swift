import Foundation

/// A server that is started for one run, with a store of its own, and ended with it.
final class OwnServer {
  private static let patience = 20.0

  let port: UInt16
  let pid: Int
  /// The store's folder.
  let data: String
  private let folder: String
  private let process: Process

  /// - Parameter core: the only one it runs on.
  init(program: String, core: Int?) throws {
    // Not /tmp, which may be memory: a commit must reach something that stays.
    folder = "/var/tmp/wattloop-bench-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    data = folder + "/store"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    port = try FreePort.find()
    // The kernel ends it with this program, however that ends.
    var command = ["setpriv", "--pdeathsig", "TERM"]
    if let core { command += ["taskset", "-c", String(core)] }
    command += [program, "serve", "--port", String(port), "--data", data]
    command += ["--rate-limit", "off", "--log-level", "warning"]
    process = try Shell.start(command, output: folder + "/log")
    pid = Int(process.processIdentifier)
    do { try waitUntilReady() } catch {
      end()
      throw error
    }
  }

  private func waitUntilReady() throws {
    let deadline = Clock.after(Self.patience)
    while !FreePort.isTaken(port) {
      if !process.isRunning || Clock.now > deadline {
        let log = (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? ""
        throw Failure("the server did not start: \(log.suffix(500))")
      }
      Thread.sleep(forTimeInterval: 0.02)
    }
  }

  /// Ends the server; the store stays.
  func stop() {
    if process.isRunning { process.terminate() }
    process.waitUntilExit()
  }

  func end() {
    stop()
    try? FileManager.default.removeItem(atPath: folder)
  }
}

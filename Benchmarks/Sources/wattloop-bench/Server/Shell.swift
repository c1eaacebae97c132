import Foundation

/// Other programs.
enum Shell {
  /// Starts a program; what it says goes to that file.
  static func start(_ command: [String], output: String) throws -> Process {
    guard FileManager.default.createFile(atPath: output, contents: nil) else {
      throw Failure("\(output) cannot be written")
    }
    let process = process(command)
    let file = FileHandle(forWritingAtPath: output)
    process.standardOutput = file
    process.standardError = file
    try process.run()
    return process
  }

  /// Runs a program to its end; returns what it printed.
  static func output(of command: [String]) throws -> String {
    let process = process(command)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure("'\(command.joined(separator: " "))' ended with \(process.terminationStatus)")
    }
    return text
  }

  private static func process(_ command: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardInput = FileHandle.nullDevice
    return process
  }
}

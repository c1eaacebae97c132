import Foundation
import Testing

/// The direction of dependencies, read from the sources: Server → App → Reactor → C modules.
@Suite struct `The architecture` {
  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")

  private struct File {
    let name: String
    let imports: Set<String>
    let text: String
  }

  private func files(in folder: String) throws -> [File] {
    let root = Self.sources.appendingPathComponent(folder)
    let paths = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
    let files = try paths.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }.map { url in
      let text = try String(contentsOf: url, encoding: .utf8)
      let imports = text.matches(of: #/(?m)^(?:@testable )?import (\w+)/#).map { String($0.1) }
      return File(name: url.lastPathComponent, imports: Set(imports), text: text)
    }
    #expect(!files.isEmpty, "\(folder) is empty or has moved")
    return files
  }

  @Test(arguments: ["Reactor/HTTP", "Reactor/WebSocket"])
  func `keeps the protocol machines pure: they import nothing`(_ folder: String) throws {
    for file in try files(in: folder) { #expect(file.imports.isEmpty, "\(file.name)") }
  }

  @Test func `keeps users, JSON and SQL out of the reactor`() throws {
    let allowed: Set = ["CLinux", "COpenSSL", "CZlib", "Glibc", "Synchronization"]
    for file in try files(in: "Reactor") { #expect(file.imports.isSubset(of: allowed), "\(file.name)") }
  }

  @Test func `keeps connections out of the loop`() throws {
    for file in try files(in: "Reactor/Loop") {
      #expect(file.text.firstMatch(of: #/\b(Connection|Server|Outbox)\b/#) == nil, "\(file.name)")
    }
  }

  @Test func `keeps descriptors out of the application`() throws {
    for file in try files(in: "App") {
      #expect(!file.imports.contains("CLinux") && !file.imports.contains("ArgumentParser"), "\(file.name)")
    }
  }
}

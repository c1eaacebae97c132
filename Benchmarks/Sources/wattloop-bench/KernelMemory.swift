import Foundation

/// The kernel's own memory on this machine, as /proc/meminfo tells it.
enum KernelMemory {
  /// Bytes of its objects: sockets, files, epoll's items, and all else.
  static func slabBytes() throws -> Int {
    guard let bytes = FileManager.default.contents(atPath: "/proc/meminfo") else {
      throw Failure("/proc/meminfo cannot be read")
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    let parts = lines.first { $0.hasPrefix("Slab:") }?.split(whereSeparator: \.isWhitespace) ?? []
    guard parts.count > 1, let kilobytes = Int(parts[1]) else {
      throw Failure("/proc/meminfo is not understood")
    }
    return kilobytes * 1024
  }
}

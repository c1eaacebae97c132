@testable import App

/// A message of the server's, as a client reads it.
struct ToldEvent {
  private var texts: [String: String] = [:]
  private var numbers: [String: Int64] = [:]
  private var flags: [String: Bool] = [:]
  let text: String

  init(_ bytes: UnsafeRawBufferPointer) throws {
    text = String(decoding: bytes, as: UTF8.self)
    var reader = JSONReader(bytes)
    var (texts, numbers, flags) = (texts, numbers, flags)
    try reader.readObject { name, value in
      let name = String(decoding: name, as: UTF8.self)
      switch value {
      case .string(let content, _): texts[name] = String(decoding: content, as: UTF8.self)
      case .integer(let number): numbers[name] = number
      case .bool(let flag): flags[name] = flag
      case .decimal, .null, .other: break
      }
    }
    (self.texts, self.numbers, self.flags) = (texts, numbers, flags)
  }

  var type: String { texts["type"] ?? "" }
  /// The request that it answers.
  var id: String? { texts["id"] }
  var position: Int64? { numbers["position"] }
  var seq: Int64? { numbers["seq"] }
  var isDuplicate: Bool { flags["duplicate"] ?? false }

  func string(_ name: String) -> String? { texts[name] }
  func number(_ name: String) -> Int64? { numbers[name] }
  func number(_ name: String, _ kind: EntityID) -> Int64? { texts[name].flatMap { kind.parse($0) } }
}

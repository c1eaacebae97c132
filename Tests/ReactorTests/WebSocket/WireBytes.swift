@testable import Reactor

/// Builds frames by hand, not with the encoder: neither is tested by the other. `first` is the whole first
/// byte.
func rawFrame(_ first: UInt8, _ payload: [UInt8], mask: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]) -> [UInt8] {
  let bit: UInt8 = mask == nil ? 0 : 0x80
  var bytes = [first]
  switch payload.count {
  case 0...125: bytes.append(bit | UInt8(payload.count))
  case 126...0xFFFF: bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
  default:
    bytes.append(bit | 127)
    for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(payload.count >> shift & 0xFF)) }
  }
  guard let mask else { return bytes + payload }
  return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
}

/// A frame as the peer of `role` sends it.
func frame(
  _ opcode: Opcode, _ payload: [UInt8] = [], fin: Bool = true, to role: WebSocketRole = .server
) -> [UInt8] {
  let first = (fin ? 0x80 : 0) | opcode.rawValue
  return role == .server ? rawFrame(first, payload) : rawFrame(first, payload, mask: nil)
}

/// A close frame's payload.
func closing(_ code: UInt16, _ reason: String = "") -> [UInt8] {
  [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8)
}

/// "cebae1" as bytes; blanks are skipped.
func hex(_ text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

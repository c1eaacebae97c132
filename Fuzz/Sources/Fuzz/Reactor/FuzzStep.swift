/// One thing that happens to the server. An input is a list of them: a byte whose low half says what and whose high
/// half says to whom, and then what the step needs.
enum FuzzStep {
  /// A new peer that takes so many bytes.
  case connect(window: Int)
  /// Bytes arrive in pieces of that length, with a tick behind each; 0 for all at once and no tick.
  case arrive(peer: Int, [UInt8], piece: Int)
  case widen(peer: Int, to: Int)
  case end(peer: Int)
  case reset(peer: Int)
  case release(peer: Int)
  /// The application sends to the peer's WebSocket, if it has one.
  case push(peer: Int)
  case close(peer: Int)
  /// The poller says more than is so: a wake-up for nothing.
  case wake(peer: Int)
  case tick
  case wait(UInt64)
  case drain

  static let peers = 5
  static let longestArrival = 4096

  /// Nil for what happens to all.
  var peer: Int? {
    switch self {
    case .arrive(let peer, _, _), .widen(let peer, _): peer
    case .end(let peer), .reset(let peer), .release(let peer), .push(let peer), .close(let peer): peer
    case .wake(let peer): peer
    case .connect, .tick, .wait, .drain: nil
    }
  }

  /// How many ticks an arrival takes.
  var ticks: Int {
    guard case .arrive(_, let bytes, let piece) = self, piece > 0 else { return 0 }
    return (bytes.count + piece - 1) / piece
  }

  static func read(_ bytes: UnsafeRawBufferPointer) -> [FuzzStep] {
    var input = FuzzInput(bytes)
    var steps: [FuzzStep] = [.connect(window: 1 << 20)]
    while !input.isEmpty && steps.count < 200 { steps.append(next(&input)) }
    return steps
  }

  private static func next(_ input: inout FuzzInput) -> FuzzStep {
    let byte = input.byte()
    let peer = Int(byte >> 4) % peers
    switch byte & 15 {
    case 0: return .tick
    case 1: return .connect(window: window(input.byte()))
    case 2, 3, 4:
      let index = Int(input.byte())
      return .arrive(
        peer: peer, FuzzPhrases.all[index % FuzzPhrases.all.count], piece: Int(input.byte() % 32))
    case 5, 6: return .arrive(peer: peer, input.take(Int(input.byte())), piece: Int(input.byte() % 32))
    case 7: return .widen(peer: peer, to: window(input.byte()))
    case 8: return .end(peer: peer)
    case 9: return .reset(peer: peer)
    case 10: return .release(peer: peer)
    case 11: return .push(peer: peer)
    case 12: return .close(peer: peer)
    case 13: return .wake(peer: peer)
    case 14: return .wait(times[Int(input.byte()) % times.count])
    default: return input.byte() == 0 ? .drain : .tick
    }
  }

  /// Most windows are small ones: what happens at their edges is the matter.
  private static func window(_ byte: UInt8) -> Int {
    byte < 128 ? Int(byte) : byte < 250 ? Int(byte - 127) * 32 : 1 << 20
  }

  /// Around the reactor's time-outs.
  private static let times: [UInt64] = [1, 16, 100, 250, 2000, 2100, 10_000, 10_100, 30_000, 30_100, 75_100]
}

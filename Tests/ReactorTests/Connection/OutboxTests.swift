import Testing

@testable import Reactor

@Suite struct `The outbox` {
  private func chain(_ outbox: borrowing Outbox, from first: Int32) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var piece = first
    while piece != Outbox.none {
      pieces.append([UInt8](UnsafeRawBufferPointer(start: outbox[piece].start, count: outbox[piece].count)))
      piece = outbox[piece].next
    }
    return pieces
  }

  @Test func `joins what lies side by side, and shares what goes to two`() {
    var outbox = Outbox()
    var (first, last) = (Outbox.none, Outbox.none)
    var (otherFirst, otherLast) = (Outbox.none, Outbox.none)
    func store(_ bytes: [UInt8]) -> UnsafeRawBufferPointer { bytes.withUnsafeBytes { outbox.store($0) } }
    outbox.link(store([1, 2]), first: &first, last: &last)
    outbox.link(store([3]), first: &first, last: &last)
    let shared = store([4, 5])
    outbox.link(shared, first: &otherFirst, last: &otherLast)
    outbox.link(store([6]), first: &first, last: &last)
    outbox.link(shared, first: &first, last: &last)
    #expect(chain(outbox, from: first) == [[1, 2, 3], [6], [4, 5]])
    #expect(chain(outbox, from: otherFirst) == [[4, 5]])
  }

  @Test func `keeps every byte in place while it grows, whatever the sizes`() {
    var random = SeededGenerator(seed: 5)
    var outbox = Outbox()
    for _ in 0..<3 {
      var stored: [(UnsafeRawBufferPointer, UInt8)] = []
      for number in 0..<300 {
        let size = [1, 100, 5000, 300_000].randomElement(using: &random)!
        let value = UInt8(truncatingIfNeeded: number)
        let bytes = [UInt8](repeating: value, count: size)
        stored.append((bytes.withUnsafeBytes { outbox.store($0) }, value))
      }
      for (bytes, value) in stored { #expect(bytes.first == value && bytes.last == value) }
      outbox.reset()
    }
  }
}

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

  @Test(arguments: 0...125)
  func `builds a short frame as any other, behind whatever the chain ends with`(count: Int) {
    let payload = (0..<count + 32).map { UInt8($0) }
    var outbox = Outbox()
    // The first takes a block.
    _ = [0].withUnsafeBytes { outbox.store($0) }
    var (first, last) = (Outbox.none, Outbox.none)
    var whole: [UInt8] = []
    payload.withUnsafeBytes { bytes in
      // Odd starts too: nothing is aligned.
      for start in [0, 1, 7] {
        let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
        let frame = outbox.frame(.binary, part)
        whole += frame
        outbox.link(frame, first: &first, last: &last)
        let isFirst = outbox.linkShort(.binary, part, first: &first, last: &last)
        whole += frame
        // Something of another connection's lies between.
        _ = outbox.store(UnsafeRawBufferPointer(rebasing: bytes[..<1]))
        let isSecond = outbox.linkShort(.text, part, first: &first, last: &last)
        #expect(isFirst && isSecond)
        whole += [0x81] + Array(frame.dropFirst())
      }
    }
    #expect(Array(chain(outbox, from: first).joined()) == whole)
    #expect(chain(outbox, from: first).count == 4)
  }

  @Test func `builds no short frame where it is none, or room is not at hand`() {
    var outbox = Outbox()
    var (first, last) = (Outbox.none, Outbox.none)
    let payload = [UInt8](repeating: 0x61, count: 126)
    payload.withUnsafeBytes { bytes in
      let short = UnsafeRawBufferPointer(rebasing: bytes[..<125])
      let withoutBlock = outbox.linkShort(.text, short, first: &first, last: &last)
      #expect(!withoutBlock)
      outbox.link(outbox.store(short), first: &first, last: &last)
      let before = chain(outbox, from: first)
      let tooLong = outbox.linkShort(.text, bytes, first: &first, last: &last)
      #expect(!tooLong && chain(outbox, from: first) == before)
      // A block of 256 KiB holds some two thousand.
      var count = 0
      while count < 10_000, outbox.linkShort(.text, short, first: &first, last: &last) { count += 1 }
      #expect((2_000..<3_000).contains(count))
      #expect(chain(outbox, from: first).joined().count == 125 + 127 * count)
      // Not the last bytes of the block, but those of the next.
      outbox.link(outbox.store(bytes), first: &first, last: &last)
      let inTheNext = outbox.linkShort(.text, short, first: &first, last: &last)
      #expect(inTheNext)
    }
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

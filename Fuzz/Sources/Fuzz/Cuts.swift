/// The ways in which bytes arrive: whole, one by one, and in pieces. Each cut is the number of bytes that have
/// arrived, the last one all of them.
///
/// The pieces follow from the bytes themselves, so a corpus of HTTP is plain text and nothing in it says how it is
/// cut; and every byte that the fuzzer changes moves the cuts, too.
func cuts(of bytes: UnsafeRawBufferPointer) -> [[Int]] {
  guard bytes.count > 1 else { return [[bytes.count]] }
  var hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  var pieces: [Int] = []
  var end = 0
  while end < bytes.count {
    hash = hash &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    // Mostly short: where a machine stops matters at the places between signs, and those lie close together.
    end = min(end + 1 + Int(hash >> 60) * Int(hash >> 56 & 3), bytes.count)
    pieces.append(end)
  }
  return [[bytes.count], Array(1...bytes.count), pieces]
}

/// Calls `body` with a copy of these bytes in an allocation of exactly their length: AddressSanitizer sees a look
/// beyond them, which in the whole input it would not.
func withExactCopy<R, Failure: Error>(
  _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> R
) throws(Failure) -> R {
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
  defer { copy.deallocate() }
  copy.copyMemory(from: bytes)
  return try body(copy)
}

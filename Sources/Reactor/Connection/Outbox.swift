/// What the loop will send at the end of this tick, for all connections together.
///
/// Bytes are copied once into an arena that lives for one tick; each connection has a chain of pieces of it. So a connection owns
/// no send buffer, a message to a thousand members lies there once, and all that a tick holds for one connection leaves in
/// one call. Only what the kernel does not take is copied again, into the connection's backlog.
struct Outbox: ~Copyable {
  static let none: Int32 = -1

  struct Piece: BitwiseCopyable {
    let start: UnsafeRawPointer
    var count: Int
    var next: Int32
  }

  private typealias Block = UnsafeMutableRawPointer

  private static let blockBytes = 256 * 1024
  /// Blocks that stay from tick to tick.
  private static let keptBlocks = 16
  private var blocks: [Block] = []
  /// Blocks for what is longer than a usual one; they live for this tick only.
  private var largeBlocks: [Block] = []
  private var block = -1
  private var cursor: UnsafeMutableRawPointer?
  private var room = 0
  private var pieces = TickList<Piece>()
  /// Frames are valid within one tick; its number shows that.
  private(set) var tick: UInt64 = 0

  deinit {
    for block in blocks + largeBlocks { block.deallocate() }
  }

  subscript(index: Int32) -> Piece { pieces[Int(index)] }

  /// Copies bytes into the arena.
  mutating func store(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let place = reserve(bytes.count)
    if bytes.count > 0 { place.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count) }
    return UnsafeRawBufferPointer(start: place, count: bytes.count)
  }

  /// Room in the arena for that many bytes, which the caller fills at once.
  @inline(__always)
  mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
    if count > room || cursor == nil {
      if count > Self.blockBytes { return reserveLarge(count) }
      nextBlock()
    }
    let place = cursor.unsafelyUnwrapped
    cursor = place + count
    room -= count
    return place
  }

  /// Gives back the last bytes of what was reserved last. (Of what was reserved before it, nothing.)
  @inline(__always)
  mutating func giveBack(_ count: Int, of end: UnsafeMutableRawPointer) {
    guard cursor == end else { return }
    cursor = end - count
    room += count
  }

  /// Builds a WebSocket frame in the arena.
  @inline(__always)
  mutating func frame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let headerLength = FrameEncoder.headerLength(payload: payload.count, masked: false)
    let place = UnsafeMutableRawBufferPointer(
      start: reserve(headerLength + payload.count), count: headerLength + payload.count)
    FrameEncoder.writeHeader(opcode, payload: payload.count, into: place)
    place.dropping(headerLength).copyMemory(from: payload)
    return UnsafeRawBufferPointer(place)
  }

  /// Builds the frame of a message of at most 125 bytes and adds it to a chain. False where the message is longer or no room is
  /// at hand: then nothing is done.
  @inline(__always)
  mutating func linkShort(
    _ opcode: Opcode, _ payload: UnsafeRawBufferPointer, first: inout Int32, last: inout Int32
  ) -> Bool {
    guard let start = payload.baseAddress, payload.count <= FrameEncoder.longestShortPayload,
      room >= FrameEncoder.longestShortFrame, pieces.hasRoom
    else { return false }
    let count = FrameEncoder.shortHeaderLength + payload.count
    // With room there is a block.
    let place = cursor.unsafelyUnwrapped
    cursor = place + count
    room -= count
    FrameEncoder.writeShortHeader(opcode, payload: payload.count, to: place)
    (place + FrameEncoder.shortHeaderLength).copyShort(start, count: payload.count)
    linkInRoom(UnsafeRawBufferPointer(start: place, count: count), first: &first, last: &last)
    return true
  }

  /// Builds the same frame anew with its payload compressed; nil if that is better sent as it is.
  mutating func compressed(
    _ frame: UnsafeRawBufferPointer, by compression: MessageCompression
  ) -> UnsafeRawBufferPointer? {
    let short = frame[1]
    let headerLength = short < 126 ? 2 : short == 126 ? 4 : 10
    let payload = UnsafeRawBufferPointer(rebasing: frame[headerLength...])
    guard let deflater = compression.deflater(for: payload) else { return nil }
    // The header is written when the length is known, into room for the longest.
    let room = FrameHeader.maximumLength
    let bound = room + deflater.bound(payload.count)
    let place = UnsafeMutableRawBufferPointer(start: reserve(bound), count: bound)
    let count = deflater.deflate(payload, into: UnsafeMutableRawBufferPointer(rebasing: place[room...]))
    let start = room - FrameEncoder.headerLength(payload: count, masked: false)
    FrameEncoder.writeHeader(
      Opcode(rawValue: frame[0] & 0x0F) ?? .binary, compressed: true, payload: count,
      into: UnsafeMutableRawBufferPointer(rebasing: place[start...]))
    return UnsafeRawBufferPointer(rebasing: place[start..<room + count])
  }

  /// Adds stored bytes to a chain, as part of its last piece where they follow it.
  @inline(__always)
  mutating func link(_ bytes: UnsafeRawBufferPointer, first: inout Int32, last: inout Int32) {
    pieces.makeRoom()
    linkInRoom(bytes, first: &first, last: &last)
  }

  @inline(__always)
  private mutating func linkInRoom(_ bytes: UnsafeRawBufferPointer, first: inout Int32, last: inout Int32) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    if last != Self.none, pieces[Int(last)].start + pieces[Int(last)].count == start {
      pieces[Int(last)].count += bytes.count
      return
    }
    // Beyond 2^31 the list would find the number wrong, as it looks at each.
    let index = Int32(truncatingIfNeeded: pieces.count)
    pieces.appendInRoom(Piece(start: start, count: bytes.count, next: Self.none))
    if last == Self.none { first = index } else { pieces[Int(last)].next = index }
    last = index
  }

  /// Ends the tick: all chains are sent or copied, and the arena is empty again. A large one shrinks.
  mutating func reset() {
    tick &+= 1
    freeLarge()
    guard block >= 0 else { return }
    pieces.removeAll()
    while blocks.count > Self.keptBlocks { blocks.removeLast().deallocate() }
    block = -1
    room = 0
    cursor = nil
  }

  private mutating func freeLarge() {
    guard !largeBlocks.isEmpty else { return }
    for block in largeBlocks { block.deallocate() }
    largeBlocks.removeAll()
  }

  private mutating func reserveLarge(_ count: Int) -> UnsafeMutableRawPointer {
    largeBlocks.append(.allocate(byteCount: count, alignment: 16))
    return largeBlocks[largeBlocks.count - 1]
  }

  private mutating func nextBlock() {
    block += 1
    if block == blocks.count { blocks.append(.allocate(byteCount: Self.blockBytes, alignment: 16)) }
    cursor = blocks[block]
    room = Self.blockBytes
  }
}

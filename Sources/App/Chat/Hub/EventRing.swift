/// The latest events of the store as they were sent, in memory: who comes back after a short absence is served from here,
/// without a look at the disk.
///
/// Bounded in bytes: the oldest segment goes when there are too many.
struct EventRing {
  private struct Event {
    let position: Int64
    let audience: Audience
    let start: Int32
    let count: Int32
    let cut: Int32
  }

  private struct Segment {
    var events: [Event] = []
    var bytes: [UInt8] = []
  }

  static let segmentBytes = 256 * 1024
  private static let segmentEvents = 4096
  private let mostSegments: Int
  private var segments: [Segment] = []
  /// All events with a position above this are here.
  private(set) var start: Int64

  /// - Parameters:
  ///   - start: the position of the last event before.
  ///   - segments: how many of 256 KiB it may have.
  init(after start: Int64, segments: Int = 64) {
    self.start = start
    mostSegments = segments
  }

  /// - Parameter cut: where the part begins that only the audience's own user sees; 0 if all see all.
  mutating func append(
    _ bytes: UnsafeMutableRawBufferPointer, cut: Int, at position: Int64, for audience: Audience
  ) {
    if let last = segments.last, last.bytes.count + bytes.count <= Self.segmentBytes,
      last.events.count < Self.segmentEvents
    {
    } else {
      beginSegment()
    }
    let index = segments.count - 1
    segments[index].events.append(
      Event(
        position: position, audience: audience, start: Int32(segments[index].bytes.count),
        count: Int32(bytes.count), cut: Int32(cut)))
    segments[index].bytes.append(contentsOf: bytes)
  }

  private mutating func beginSegment() {
    var segment = Segment()
    if segments.count == mostSegments {
      segment = segments.removeFirst()
      start = segment.events.last?.position ?? start
      segment.events.removeAll(keepingCapacity: true)
      segment.bytes.removeAll(keepingCapacity: segment.bytes.capacity <= 2 * Self.segmentBytes)
    }
    segments.append(segment)
  }

  /// How many events are behind a position.
  func count(after position: Int64) -> Int {
    var count = 0
    for segment in segments.reversed() {
      guard let last = segment.events.last, last.position > position else { break }
      count += segment.events.count
    }
    return count
  }

  /// Visits a user's events behind a position, in order, until `body` returns false.
  /// - Returns: the position up to which all are visited; nil if all that are here.
  mutating func visit(
    after position: Int64, for user: Int64, _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Int64? {
    for index in segments.indices {
      guard let last = segments[index].events.last, last.position > position else { continue }
      for event in segments[index].events where event.position > position && event.audience.includes(user) {
        let goesOn = segments[index].bytes.withUnsafeMutableBytes { bytes in
          let whole = UnsafeMutableRawBufferPointer(
            rebasing: bytes[Int(event.start)..<Int(event.start + event.count)])
          return whole.withPart(cut: Int(event.cut), isOwn: user == event.audience.own, body)
        }
        if !goesOn { return event.position }
      }
    }
    return nil
  }
}

extension UnsafeMutableRawBufferPointer {
  /// An encoded event as one user sees it: whole, or only up to the cut, with a brace in its place meanwhile.
  func withPart<R>(cut: Int, isOwn: Bool, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    if cut == 0 || isOwn { return body(UnsafeRawBufferPointer(self)) }
    let byte = self[cut]
    self[cut] = UInt8(ascii: "}")
    defer { self[cut] = byte }
    return body(UnsafeRawBufferPointer(rebasing: self[...cut]))
  }
}

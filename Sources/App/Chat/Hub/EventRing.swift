/// The latest events of the store as they were sent, in memory: who comes back after a short absence is served from here,
/// without a look at the disk.
///
/// Bounded in bytes: the oldest segment goes when there are too many.
struct EventRing {
  private struct Event {
    let position: Int64
    let own: Int64
    let reach: Audience.Reach
    let start: Int32
    let count: Int32
    let cut: Int32
    /// The position of the next event of the same message; 0 if this is its last.
    var next: Int64 = 0
  }

  private struct Segment {
    var events: [Event] = []
    /// Of each event, the place of its audience's members in `lists`.
    var members: [Int32] = []
    var lists = MemberLists()
    var bytes: [UInt8] = []

    func audience(of event: Int) -> Audience {
      Audience(members: lists[members[event]], own: events[event].own, reach: events[event].reach)
    }

    /// The first event from a place on whose list says yes. Looks at nothing else: when many come back at once, this is
    /// events times users.
    func nextEvent(from start: Int, _ isMember: [Bool]) -> Int? {
      members.withUnsafeBufferPointer { members in
        isMember.withUnsafeBufferPointer { isMember in
          var event = start
          while event < members.count {
            if isMember[Int(members[event])] { return event }
            event += 1
          }
          return nil
        }
      }
    }
  }

  static let segmentBytes = 256 * 1024
  private static let segmentEvents = 4096
  private let mostSegments: Int
  private var segments: [Segment] = []
  /// All events with a position above this are here.
  private(set) var start: Int64
  private var scratch: [UInt8] = []

  /// - Parameters:
  ///   - start: the position of the last event before.
  ///   - segments: how many of 256 KiB it may have.
  init(after start: Int64, segments: Int = 64) {
    self.start = start
    mostSegments = segments
  }

  /// - Parameters:
  ///   - cut: where the part begins that only the audience's own user sees; 0 if all see all.
  ///   - previous: the position of the event before it of the same message, which then shows what this one does.
  mutating func append(
    _ bytes: UnsafeMutableRawBufferPointer, cut: Int, at position: Int64, for audience: Audience,
    previous: Int64 = 0
  ) {
    if previous > start, let place = place(of: previous) {
      segments[place.segment].events[place.event].next = position
    }
    if let last = segments.last, last.bytes.count + bytes.count <= Self.segmentBytes,
      last.events.count < Self.segmentEvents
    {
    } else {
      beginSegment()
    }
    let index = segments.count - 1
    segments[index].members.append(segments[index].lists.place(of: audience.members))
    segments[index].events.append(
      Event(
        position: position, own: audience.own, reach: audience.reach,
        start: Int32(segments[index].bytes.count), count: Int32(bytes.count),
        cut: Int32(cut)))
    segments[index].bytes.append(contentsOf: bytes)
  }

  private mutating func beginSegment() {
    var segment = Segment()
    if segments.count == mostSegments {
      segment = segments.removeFirst()
      start = segment.events.last?.position ?? start
      segment.events.removeAll(keepingCapacity: true)
      segment.members.removeAll(keepingCapacity: true)
      segment.lists = MemberLists()
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
  /// - Parameter asToldLive: a message is shown as it was then, to who is there and only hears a moment later.
  /// - Returns: the position up to which all are visited; nil if all that are here.
  mutating func visit(
    after position: Int64, for user: Int64, asToldLive: Bool = false,
    _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Int64? {
    for index in segments.indices {
      guard let last = segments[index].events.last, last.position > position else { continue }
      let isMember = segments[index].lists.membership(of: user)
      var event = segments[index].events.partitioningIndex { $0.position > position }
      while let next = segments[index].nextEvent(from: event, isMember) {
        if segments[index].audience(of: next).includes(user),
          !show(next, in: index, to: user, asToldLive, body)
        {
          return segments[index].events[next].position
        }
        event = next + 1
      }
    }
    return nil
  }

  private mutating func show(
    _ event: Int, in segment: Int, to user: Int64, _ asToldLive: Bool,
    _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    let event = segments[segment].events[event]
    if event.next != 0 && !asToldLive { return showLast(of: event, to: user, body) }
    return bytes(of: event, in: segment, isOwn: user == event.own, body)
  }

  private mutating func bytes<R>(
    of event: Event, in segment: Int, isOwn: Bool, _ body: (UnsafeRawBufferPointer) -> R
  ) -> R {
    segments[segment].bytes.withUnsafeMutableBytes { bytes in
      UnsafeMutableRawBufferPointer(rebasing: bytes[Int(event.start)..<Int(event.start + event.count)])
        .withPart(cut: Int(event.cut), isOwn: isOwn, body)
    }
  }

  // MARK: Messages that have changed

  /// A message is shown as it stands now, in the place of each of its events: what was deleted is not shown again.
  private mutating func showLast(
    of event: Event, to user: Int64, _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    guard let place = lastPlace(of: event) else { return true }
    let last = segments[place.segment].events[place.event]
    // What it says now was said behind the user's back.
    guard segments[place.segment].audience(of: place.event).includes(user) else { return true }
    var moved = scratch
    moved.removeAll(keepingCapacity: true)
    bytes(of: last, in: place.segment, isOwn: user == event.own) { bytes in
      let prefix = ChatEncoder.messagePrefix.utf8CodeUnitCount
      let rest = bytes[prefix...].drop { $0 != UInt8(ascii: ",") }
      moved.append(contentsOf: bytes[..<prefix])
      appendDecimal(event.position, to: &moved)
      moved.append(contentsOf: rest)
    }
    scratch = moved
    return moved.withUnsafeBytes(body)
  }

  private typealias Place = (segment: Int, event: Int)

  /// Follows a message's events to the last, and shortens the way for the next time.
  private mutating func lastPlace(of event: Event) -> Place? {
    var way: [Place] = []
    var next = event.next
    var last: Place?
    while next != 0, let place = place(of: next) {
      if let last { way.append(last) }
      last = place
      next = segments[place.segment].events[place.event].next
    }
    guard let last else { return nil }
    let position = segments[last.segment].events[last.event].position
    for place in way { segments[place.segment].events[place.event].next = position }
    return last
  }

  private func place(of position: Int64) -> Place? {
    let segment = segments.partitioningIndex { $0.events.last.map { $0.position >= position } ?? true }
    guard segment < segments.count else { return nil }
    let event = segments[segment].events.partitioningIndex { $0.position >= position }
    guard event < segments[segment].events.count, segments[segment].events[event].position == position else {
      return nil
    }
    return (segment, event)
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

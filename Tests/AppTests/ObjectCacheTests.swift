import Reactor
import Testing

@testable import App

@Suite struct ObjectCacheTests {
  private var cache = ObjectCache<ShownDevice>(places: 4)

  private func device(_ id: Int64, _ name: String = "a", owner: Int64? = nil) throws -> ShownDevice {
    try ShownDevice(
      Device(id: id, settings: .init(name: name, owner: owner), createdAt: Timestamp(milliseconds: 0)))
  }

  @Test mutating func `what was kept is found until it is forgotten`() throws {
    #expect(cache.find(1) == nil)
    let one = try device(1)
    cache.keep(one, askedAt: cache.generation(of: 1))
    #expect(cache.find(1) === one)
    cache.forget(1)
    #expect(cache.find(1) == nil)
  }

  @Test mutating func `a device that was read before its change is not kept`() throws {
    let before = cache.generation(of: 1)
    cache.forget(1)
    let new = try device(1, "new")
    cache.keep(new, askedAt: cache.generation(of: 1))
    cache.keep(try device(1, "old"), askedAt: before)
    #expect(cache.find(1) === new)
    cache.forget(1)
    cache.keep(try device(1, "old"), askedAt: before)
    #expect(cache.find(1) == nil)
  }

  @Test mutating func `places are shared, and never mixed up`() throws {
    let (one, five) = (try device(1), try device(5))
    cache.keep(one, askedAt: cache.generation(of: 1))
    #expect(cache.find(5) == nil)
    cache.keep(five, askedAt: cache.generation(of: 5))
    #expect(cache.find(1) == nil && cache.find(5) === five)
    for id: Int64 in [0, .max, -1] { #expect(cache.find(id) == nil) }
  }

  @Test func `a device is seen by administrators and its owner`() throws {
    let mine = try device(1, owner: 2)
    for (user, role, isVisible) in [(1, Role.admin, true), (2, .client, true), (3, .client, false)] {
      let caller = Caller(user: Int64(user), role: role, expiresAt: .max)
      #expect((mine.answer(for: caller) != nil) == isVisible)
      #expect(try (device(2).answer(for: caller) != nil) == (role == .admin))
    }
  }

  @Test func `whoever has it already is not sent it again`() throws {
    let device = try ReadyAnswer(
      Device(id: 1, settings: .init(name: "a", owner: nil), createdAt: Timestamp(milliseconds: 0)))
    let found = device.response(nil)
    let tag = try #require(found.value(of: "etag"))
    #expect(found.status == .ok && found.json["id"] as? String == "d1")
    let same = device.response("W/\(tag)")
    #expect(same.status == .notModified && same.body.isEmpty && same.value(of: "etag") == tag)
    #expect(device.response(#""x""#).status == .ok)
  }
}

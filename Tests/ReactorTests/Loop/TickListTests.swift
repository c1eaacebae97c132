import Testing

@testable import Reactor

@Suite struct `A tick's list` {
  @Test func `keeps what is added, grows, changes and is used again`() {
    var list = TickList<UInt64>()
    for count in [1, 64, 65, 100_000, 3] {
      for number in 0..<count { list.append(UInt64(number)) }
      list[count - 1] = 7
      #expect(list.count == count)
      #expect((0..<count - 1).allSatisfy { list[$0] == UInt64($0) } && list[count - 1] == 7)
      list.removeAll()
      #expect(list.count == 0)
    }
  }

  @Test func `says when the next addition would take memory`() {
    var list = TickList<UInt64>()
    let hadRoom = list.hasRoom
    list.makeRoom()
    var count: UInt64 = 0
    while list.hasRoom {
      list.appendInRoom(count)
      count += 1
    }
    #expect(!hadRoom && count > 0 && list.count == count)
    list.append(count)
    #expect((0...count).allSatisfy { list[Int($0)] == $0 })
  }
}

import Glibc
import Reactor

/// One request on one connection, the thread waiting: for what a load prepares.
struct BlockingHTTP {
  let host: String
  let port: UInt16

  /// Posts JSON; returns the whole answer, head and body, if its status is 200 or 201.
  func post(_ path: String, token: String, json: String) throws -> String {
    let head = """
      POST \(path) HTTP/1.1\r\nhost: \(host):\(port)\r\nauthorization: Bearer \(token)\r\n\
      content-type: application/json\r\ncontent-length: \(json.utf8.count)\r\nconnection: close\r\n\r\n
      """
    let fd = try connect()
    defer { close(fd) }
    var request = head + json
    let sent = request.withUTF8 { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    guard sent == request.utf8.count else { throw Failure("a request could not be sent") }
    let answer = String(decoding: readAll(fd), as: UTF8.self)
    guard answer.hasPrefix("HTTP/1.1 200 ") || answer.hasPrefix("HTTP/1.1 201 ") else {
      throw Failure("POST \(path) was answered: \(answer.prefix { !$0.isNewline })")
    }
    return answer
  }

  private func connect() throws -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
      throw Failure("\(host) is no IPv4 address")
    }
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let connected = withUnsafeBytes(of: &address) {
      Glibc.connect(
        fd, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
    }
    guard connected == 0 else {
      close(fd)
      throw Failure("cannot connect to \(host):\(port)")
    }
    return fd
  }

  private func readAll(_ fd: Int32) -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 * 1024)
    while case let count = recv(fd, &buffer, buffer.count, 0), count > 0 { all += buffer[..<count] }
    return all
  }
}

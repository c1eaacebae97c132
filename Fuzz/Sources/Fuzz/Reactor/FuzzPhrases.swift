/// What a peer says in good order, or nearly: libFuzzer would be long in finding a whole request. New ones go to the
/// end of the second list, or the corpus changes its meaning.
enum FuzzPhrases {
  static let all: [[UInt8]] = requests.map { Array($0.utf8) } + frames

  private static let requests: [String] = [
    "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n",
    """
    GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
    """,
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST /task HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST /upload/2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST /upload/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n",
    "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\n",
    "POST /closed HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    "GET /stream/1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /stream/3 HTTP/1.0\r\n\r\n",
    "GET /broken/2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /broken/1 HTTP/1.0\r\n\r\n",
    "GET /later HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
    "5\r\nhello\r\n",
    "40\r\nsixty-four bytes of a chunk, which are as many as the window holds\r\n",
    "0\r\n\r\n",
    "hello",
    "ten bytes ",
  ]

  private static let frames: [[UInt8]] = [
    frame(0x81, "hi"),
    frame(0x81, "work"),
    frame(0x81, "pause"),
    frame(0x81, "deadline"),
    frame(0x81, "never"),
    frame(0x81, "close"),
    frame(0x81, "flood: ten of it come back, more than may wait for a peer that is read from"),
    frame(0x01, "half "),
    frame(0x80, "whole"),
    frame(0x82, "binary"),
    frame(0x89, "ping"),
    frame(0x8A, ""),
    frame(0x88, ""),
    frame(0x88, "\u{3}\u{e8}"),
  ]

  /// A masked frame of less than 126 bytes. The key is four zeros, so the payload lies there as it is; a character is
  /// a byte.
  private static func frame(_ first: UInt8, _ payload: String) -> [UInt8] {
    [first, 0x80 | UInt8(payload.unicodeScalars.count), 0, 0, 0, 0]
      + payload.unicodeScalars.map { UInt8($0.value) }
  }
}

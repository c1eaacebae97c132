/// Where the server is that is measured.
struct Site {
  let host: String
  let port: UInt16
  /// Its process, if it is on this machine and known.
  let serverPid: Int?
}
